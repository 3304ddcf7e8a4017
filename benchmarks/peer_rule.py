"""What the peers' rule would have said, read from finished scans, one row of a table each.

    python -m benchmarks.peer_rule results/SmolLM2-135M-Instruct results/gemma-3-270m

The rule of Land and Bartolo 2024 (arXiv 2405.05417): the lowest 2 % of the tokens that encode to themselves,
by the indicator, are verified by prompts; nothing is looked for below, and nothing asked again in ordinary
text. Declared reserved tokens are on that list like all others. A scan does not put each of them to the
model, so what it did not test stands apart.

The verdicts are those of the run, whose `max_prob` includes its probes: a token that a probe shows is not
verified here, and would have been by a peer whose prompts all fail it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.report.results import Results, load_results
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Category, Verdict

__all__ = ["PeerRule", "main", "peer_rule"]

#: Share of the tokens that the rule verifies, in percent.
PERCENT = 2.0


@dataclass(frozen=True)
class PeerRule:
    """What the rule says of one model, beside what the run found."""

    #: Tokens on the list.
    listed: int
    #: Of these, put to the model in the run: themselves, or an identical row in their place.
    tested: int
    #: Of the tested, verified; and of the verified, cleared by ordinary text.
    verified: int
    cleared: int
    #: Verified tokens outside the list that encode to themselves, and those of them that text does not clear.
    missed: int
    missed_unknown: int


def peer_rule(results: Results[ScanSummary], percent: float = PERCENT) -> PeerRule:
    """Return what the rule would have said.

    :param results: A finished scan with verification.
    :param percent: Share of the tokens on the list, in percent.
    """
    able = results.tokens[results.where("category", Category.OK, Category.OK_SPECIAL)].sort_values("rank")
    is_listed = able.token_id.isin(able.token_id.head(round(len(able) * percent / 100)))
    verified = able.verdict.isin([Verdict.VERIFIED_STRONG.value, Verdict.VERIFIED_WEAK.value])
    cleared = verified & results.where("cleared_by_text", True).loc[able.index]
    return PeerRule(
        listed=int(is_listed.sum()),
        tested=int((is_listed & able.verdict.notna()).sum()),
        verified=int((is_listed & verified).sum()),
        cleared=int((is_listed & cleared).sum()),
        missed=int((~is_listed & verified).sum()),
        missed_unknown=int((~is_listed & verified & ~cleared).sum()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="DIR", help="folders of finished scans")
    options = parser.parse_args(arguments)
    print("| model | listed | tested here | verified | of these cleared by text | verified outside |")
    print("|---|---|---|---|---|---|")
    for folder in options.runs:
        results = load_results(folder)
        if not isinstance(results.summary, ScanSummary):
            parser.error(f"{folder}: no scan")
        said = peer_rule(results)
        cells = (said.listed, said.tested, said.verified, said.cleared)
        outside = f"{said.missed:,}, {said.missed_unknown:,} unknown in text"
        print(f"| {results.summary.model} | {' | '.join(f'{n:,}' for n in cells)} | {outside} |")


if __name__ == "__main__":
    main()
