"""What is wrong with a vocabulary alone."""

from __future__ import annotations

from forensics.report.results import Results
from forensics.report.sections.shared.findings import ROLES_DIFFER, UNREACHABLE, roles_differ, unreachable
from forensics.report.wording import spaced
from forensics.schema.finding import Finding, Level, Rule, sorted_findings
from forensics.schema.tokens import TokensSummary

__all__ = ["RULES", "findings"]

_MERGES = Rule(
    "merge-oddity",
    Level.NOTE,
    "Entries or merges that tell how a vocabulary was made.",
    "None is needed; a token that nothing makes wastes a row.",
)
#: Every rule.
RULES = (ROLES_DIFFER, UNREACHABLE, _MERGES)


def findings(results: Results[TokensSummary]) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first."""
    odd = (
        Finding(
            _MERGES.id,
            _MERGES.level,
            f"{problem.count:,} x {spaced(problem.kind)}: {problem.meaning}",
            subject=problem.kind,
            evidence={"count": problem.count},
        )
        for problem in results.summary.merges.problems
    )
    return sorted_findings([*roles_differ(results), *unreachable(results), *odd])
