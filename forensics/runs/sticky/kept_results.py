"""A journal with keys: what a sticky run has measured already, found again after an interruption."""

from __future__ import annotations

from typing import Any

from forensics.runs.frame.journal import Journal

__all__ = ["Memory"]


class Memory:
    """Results by key; kept in a journal if there is one, forgotten otherwise."""

    def __init__(self, journal: Journal | None) -> None:
        """Load what the journal holds."""
        self._journal = journal
        entries = journal.entries if journal is not None else []
        self._known = {entry["key"]: entry["value"] for entry in entries if "key" in entry}

    def __len__(self) -> int:
        """Return the number of results kept before this run."""
        return len(self._known)

    def recall(self, key: str) -> Any:
        """Return the value kept under `key`, or None."""
        return self._known.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Append a value to the journal."""
        if self._journal is not None:
            self._journal.append({"key": key, "value": value})
