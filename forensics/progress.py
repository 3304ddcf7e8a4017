"""The object the library reports progress to; silent unless somebody gives it a face.

Analysis code receives a :class:`Progress`, opens a stage and advances it. Notebooks and tests pass
nothing and hear nothing; the command line passes a subclass that draws bars on standard error. The
seconds of every stage are kept, because a report states them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Progress", "Stage"]


class Stage:
    """One running stage; the base class only counts."""

    def __init__(self, name: str, total: int | None, unit: str) -> None:
        """Begin counting at zero.

        :param name: What is being done, as the user reads it.
        :param total: The number of units in all, or None where it is not known.
        :param unit: The plural noun of what is counted, e.g. ``tokens``.
        """
        self.name = name
        self.total = total
        self.unit = unit
        self.done = 0

    def advance(self, count: int = 1, **fields: object) -> None:
        """Count `count` more units; `fields` (e.g. ``verified=12``) are shown beside the bar."""
        self.done += count

    def set_total(self, total: int | None) -> None:
        """Correct the total once it is known."""
        self.total = total


class Progress:
    """Where the library reports to; does nothing visible by itself."""

    def __init__(self) -> None:
        """Start with no stage timed."""
        self.seconds: dict[str, float] = {}

    def note(self, message: str) -> None:
        """Say something a person may want to know."""

    def warn(self, message: str) -> None:
        """Say something a person must know."""

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        """Make the stage object; subclasses override this to draw it."""
        return Stage(name, total, unit)

    def close_stage(self, stage: Stage) -> None:
        """Finish what `open_stage` began; subclasses override this."""

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str = "") -> Iterator[Stage]:
        """Time one stage and, where there is a face, show it.

        :param name: What is being done; also the key in `seconds` (times of equal names add up).
        :param total: The number of units in all, if known.
        :param unit: The plural noun of what is counted.
        :yields: The stage, to be advanced.
        """
        started = time.perf_counter()
        stage = self.open_stage(name, total, unit)
        try:
            yield stage
        finally:
            self.close_stage(stage)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
