"""What `sticky` gives back."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.runs.frame.result import RunResult

__all__ = ["StickyResult"]


@dataclass(frozen=True, eq=False, repr=False)
class StickyResult(RunResult):
    """The result of `sticky`, in memory; columns and keys are those of the files on disk."""

    def __repr__(self) -> str:
        """Return the headline."""
        from forensics.report.results import Results
        from forensics.report.sticky import sticky_headline

        return sticky_headline(Results(self.tokens, self.summary, self.manifest))

    def _repr_html_(self) -> str:
        from forensics.report.sticky import sticky_html

        return sticky_html(self.tokens, self.summary)
