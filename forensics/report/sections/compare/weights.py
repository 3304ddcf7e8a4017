"""Whether two checkpoints started independently."""

from __future__ import annotations

from forensics.report.blocks import Badge, Block, Facts, Number, Paragraph, Section
from forensics.report.declared import table
from forensics.report.results import Results
from forensics.report.wording import spaced
from forensics.schema.compare import CompareSummary, IndependenceTest

__all__ = ["weights"]

_WHAT_IT_SAYS = (
    "After two independent starts any pairing of units is as likely as any other; p is the chance of one "
    "that keeps the numbering so well. Equal seed and shapes give equal starts, which is dependence without "
    "descent. A rotation of the embedding and a permutation of hidden units, free for whoever has the "
    "weights, evade the exact tests, so `no evidence` says nothing. Likeness of tokens is no evidence "
    "either: models that never met learned one language."
)


def weights(results: Results[CompareSummary]) -> Section | None:
    """Return the tests and the signals beside them."""
    blocks: list[Block] = []
    for pair in results.summary.pairs:
        if not pair.independence:
            continue
        blocks.append(
            table(
                f"independence-{pair.other.lower()}",
                f"Tests of independent starts of A and {pair.other}.",
                pair.independence,
                ("test", lambda each: spaced(each.test)),
                ("verdict", _verdict),
                ("log10 p", lambda each: Number(each.log10_p, 3)),
                ("rank correlation", lambda each: Number(each.statistic, 3)),
                ("layers", lambda each: ", ".join(map(str, each.layers)) or None),
                ("p is exact", lambda each: "yes" if each.exact else "no"),
                ("if", lambda each: each.assumptions),
            )
        )
        if pair.signals is not None:
            signals = pair.signals
            blocks.append(
                Facts(
                    (
                        ("shared tokens with rows in both", Number(signals.rows)),
                        ("of these equal bit for bit", Number(signals.identical_rows)),
                        ("cosine of the norm layers", Number(signals.norm_cosine, 4)),
                    )
                )
            )
    if not blocks:
        return None
    return Section("weights", "Weights", (Paragraph(_WHAT_IT_SAYS), *blocks))


def _verdict(each: IndependenceTest) -> Badge:
    return Badge(each.verdict, "warn" if each.verdict.startswith("not independent") else "plain")
