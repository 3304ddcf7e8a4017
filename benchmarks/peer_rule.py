"""What finished scans found, and what the peers' rule would have said: one row of two tables for each.

    python -m benchmarks.peer_rule RUN ...

RUN is a folder that `forensics scan` wrote, with its `tokens.parquet`.

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
#: Columns of the two tables.
FOUND = (
    *("model", "rows", "tested", "verified", "unknown in text", "estimate for all ordinary tokens"),
    *("without those that text clears", "recall of the ranking: all; without those", "clock", "command"),
)
PEERS = (
    *("model", "on the list", "tested in the run", "verified", "of these cleared by text"),
    *("verified outside the list", "of these unknown in text"),
)


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
    runs = [load_results(folder) for folder in options.runs]
    for folder, results in zip(options.runs, runs, strict=True):
        if not isinstance(results.summary, ScanSummary) or not results.summary.verification.tested:
            parser.error(f"{folder}: no scan with verification")
    _print_table(FOUND, [found_row(results) for results in runs])
    print()
    _print_table(PEERS, [peer_row(results) for results in runs])


def found_row(results: Results[ScanSummary]) -> list[str]:
    """Return what the run found, in the columns of `FOUND`."""
    summary, found = results.summary, results.summary.verification
    details, recall = found.estimate, found.recall
    without = recall_without = all_recall = "–"
    if details is not None and details.total_cleared_excluded is not None:
        without = _between(details.total_cleared_excluded, details.interval_cleared_excluded)
    if recall is not None and recall.value is not None:
        all_recall = _percent(recall.value, recall.interval)
    if recall is not None and recall.value_cleared_excluded is not None:
        recall_without = _percent(recall.value_cleared_excluded, recall.interval_cleared_excluded)
    return [
        summary.model,
        f"{summary.embedding.shape[0]:,}",
        f"{found.tested:,}",
        f"{found.verified:,} + {found.same_rows_as_verified:,} with equal rows",
        "–" if found.unknown_in_text is None else f"{found.unknown_in_text:,}",
        "–" if found.estimate_total is None else _between(found.estimate_total, found.interval),
        without,
        f"{all_recall}; {recall_without}",
        f"{sum(summary.seconds.values()) / 60:.0f} min",
        f"`{' '.join(results.manifest.get('command_line') or ())}`",
    ]


def peer_row(results: Results[ScanSummary]) -> list[str]:
    """Return what the peers' rule says, in the columns of `PEERS`."""
    said = peer_rule(results)
    numbers = (said.listed, said.tested, said.verified, said.cleared, said.missed, said.missed_unknown)
    return [results.summary.model, *(f"{number:,}" for number in numbers)]


def _between(value: float, interval: tuple[float | None, float | None] | None) -> str:
    low, high = interval or (None, None)
    if low is None or high is None or low == high:
        return f"{value:,.0f}"
    return f"{value:,.0f} ({low:,.0f} to {high:,.0f})"


def _percent(value: float, interval: tuple[float | None, float | None] | None) -> str:
    low, high = interval or (None, None)
    if low is None or high is None or low == high:
        return f"{100 * value:.3g} %"
    return f"{100 * value:.3g} % ({100 * low:.3g} to {100 * high:.3g})"


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"| {' | '.join(columns)} |")
    print(f"|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
