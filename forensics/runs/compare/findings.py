"""What differs between A and one other, as findings: parity with a GGUF file, or notes."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.comparison.gguf_parity import gguf_parity
from forensics.runs.compare.sides import Side
from forensics.schema.compare import OrderSummary, PairSummary, PieceCounts
from forensics.schema.compare_rules import RULES
from forensics.schema.finding import Evidence, Finding

__all__ = ["pair_findings"]

#: Names spelt out in a message.
_SHOWN = 5


def pair_findings(a: Side, b: Side, pair: PairSummary) -> tuple[Finding, ...]:
    """Return the findings on one pair.

    :param a: A.
    :param b: The other.
    :param pair: What was found.
    """
    if pair.pieces is None:
        return ()  # of scans
    if pair.gguf:
        found = list(_parity(a, b))
    else:
        found = [*_vocabulary(a, b, pair.pieces, pair.order), *_settings(a, b, pair)]
    dependent = [test for test in pair.independence if test.verdict.startswith("not independent")]
    for test in dependent:
        where = f", layers {', '.join(map(str, test.layers))}" if test.layers else ""
        message = f"{a.name} and {b.name}: {test.verdict} by the test `{test.test}`{where}"
        evidence = {"log10_p": test.log10_p, "statistic": test.statistic, "exact": test.exact}
        found.append(_note("weights/not-independent", f"{b.letter} {test.test}", message, evidence))
    return tuple(found)


def _note(rule: str, subject: str, message: str, evidence: Evidence | None = None) -> Finding:
    return RULES[rule].found(message, subject, evidence=evidence)


def _parity(a: Side, b: Side) -> tuple[Finding, ...]:
    """Ask whether the GGUF file among the two still is the other."""
    from forensics.sources.gguf.file import read_gguf
    from forensics.sources.gguf.metadata import check_metadata

    converted, model = (a, b) if a.tokenizer[0].format == "gguf" else (b, a)
    (file,) = converted.tokenizer[0].files
    return gguf_parity(model.tokenizer, converted.tokenizer, check_metadata(file, read_gguf(file).metadata))


def _vocabulary(a: Side, b: Side, pieces: PieceCounts, order: OrderSummary | None) -> Iterator[Finding]:
    other = b.letter
    if pieces.only_a or pieces.only_b:
        message = (
            f"{a.name} has {pieces.only_a:,} pieces that {b.name} lacks, and lacks {pieces.only_b:,} of its"
        )
        evidence: Evidence = {"only_a": pieces.only_a, "only_b": pieces.only_b}
        yield _note("difference/pieces", f"{other} pieces", message, evidence)
    if pieces.same_id < pieces.shared:
        moved = pieces.shared - pieces.same_id
        message = f"{moved:,} of {pieces.shared:,} shared pieces have another id in {b.name}"
        yield _note("difference/ids", f"{other} ids", message, {"moved": moved, "shared": pieces.shared})
    if order is not None and not order.size_a == order.size_b == order.common_order:
        message = (
            f"{order.shared:,} {order.what} are shared of {order.size_a:,} and {order.size_b:,}, "
            f"{order.common_order:,} of these in one order; the first {order.common_prefix:,} are the same"
        )
        evidence = {"shared": order.shared, "common_order": order.common_order}
        yield _note("difference/order", f"{other} {order.what}", message, evidence)


def _settings(a: Side, b: Side, pair: PairSummary) -> Iterator[Finding]:
    other = b.letter
    if pair.added_tokens:
        names = [repr(token.content) for token in pair.added_tokens]
        more = f", and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        message = f"{len(names):,} added tokens differ: {', '.join(names[:_SHOWN])}{more}"
        yield _note("difference/added", f"{other} added tokens", message, {"count": len(names)})
    for each in pair.fields:
        message = f"{each.path} is {each.a or 'not set'} in {a.name} and {each.b or 'not set'} in {b.name}"
        yield _note("difference/setting", f"{other} {each.path}", message)
    if pair.probe is not None:
        probe = pair.probe
        message = (
            f"{probe.differing} of {probe.texts} texts give other ids; after {probe.before[-20:]!r} of "
            f"{probe.text!r} {a.name} gives {list(probe.ids_a)} and {b.name} {list(probe.ids_b)}"
        )
        yield _note("difference/text", f"{other} probe texts", message, {"texts": probe.differing})
    if pair.template is not None and pair.template.relation != "identical":
        message = f"the chat templates are not the same: {pair.template.relation}"
        yield _note("difference/template", f"{other} chat template", message)
