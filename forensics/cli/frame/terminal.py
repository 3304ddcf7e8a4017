"""The face of progress: bars where a person watches, one line per stage where nobody does.

All of it goes to standard error, so that standard output can be piped. With `--json` only warnings
are said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forensics.progress import Progress, Stage

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["BarProgress", "LineProgress", "QuietProgress", "make_progress"]

#: A bar appears once a stage has lasted this long; shorter ones would only flicker.
_PATIENCE = 2.0


#: Turns the library's names of options into the command line's.
Spelling = Callable[[str], str]


def make_progress(*, quiet: bool = False, spell: Spelling = str) -> Progress:
    """Return the face that fits: silent, lines for a pipe or a log, bars for a terminal.

    :param quiet: Say warnings only.
    :param spell: How a message of the library is put to the user.
    """
    if quiet:
        return QuietProgress(spell)
    return BarProgress(spell=spell) if sys.stderr.isatty() else LineProgress(spell)


class QuietProgress(Progress):
    """Says warnings and nothing else."""

    def __init__(self, spell: Spelling = str) -> None:
        """Begin in silence.

        :param spell: See `make_progress`.
        """
        super().__init__()
        self._spell = spell

    def warn(self, message: str) -> None:
        """Print a warning as one line."""
        _print(f"warning: {self._spell(message)}")


class LineProgress(QuietProgress):
    """Says one line when a stage is over: what, how much, how long."""

    def __init__(self, spell: Spelling = str) -> None:
        """Start with no stage open."""
        super().__init__(spell)
        self._started: dict[int, float] = {}

    def note(self, message: str) -> None:
        """Print a note as one line."""
        _print(f"note: {self._spell(message)}")

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        """Return a stage that remembers the fields last shown."""
        stage = _FieldStage(name, total, unit)
        self._started[id(stage)] = time.perf_counter()
        return stage

    def close_stage(self, stage: Stage) -> None:
        """Print the stage's line."""
        seconds = time.perf_counter() - self._started.pop(id(stage), time.perf_counter())
        _print(stage_line(stage, seconds))


class _FieldStage(Stage):
    """A stage that keeps the fields it was last advanced with."""

    def __init__(self, name: str, total: int | None, unit: str) -> None:
        """Begin without fields."""
        super().__init__(name, total, unit)
        self.fields: dict[str, object] = {}

    def advance(self, count: int = 1, **fields: object) -> None:
        """Count and keep the fields."""
        super().advance(count, **fields)
        self.fields.update(fields)


def stage_line(stage: Stage, seconds: float) -> str:
    """Return what is said of a stage that is over.

    >>> stage_line(Stage("read matrices", 4, "blocks"), 1.5)
    'read matrices: 1.5 s'
    """
    parts = []
    if stage.done:
        parts.append(amount(stage.done, stage.unit))
    parts += [f"{name} {value}" for name, value in getattr(stage, "fields", {}).items()]
    return f"{stage.name}: {', '.join([*parts, duration(seconds)])}"


def amount(count: int, unit: str) -> str:
    """Return a count with its unit; bytes in the size one reads them in."""
    if unit == "bytes":
        return f"{count / 2**20:,.0f} MiB" if count < 2**30 else f"{count / 2**30:,.1f} GiB"
    return f"{count:,} {unit}".rstrip()


def duration(seconds: float) -> str:
    """Return a time as one says it.

    >>> duration(0.04), duration(75), duration(7322)
    ('0.0 s', '1 min 15 s', '2 h 02 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class BarProgress(Progress):
    """Draws a bar for every stage that lasts, with its count, its fields and the time left."""

    def __init__(self, console: Console | None = None, *, spell: Spelling = str) -> None:
        """Prepare the bars; nothing is drawn yet.

        :param console: Where to draw; default standard error.
        :param spell: See `make_progress`.
        """
        super().__init__()
        self._spell = spell
        from rich.console import Console as RichConsole

        self._console = console or RichConsole(stderr=True, highlight=False)
        self._bars: Any = None
        self._open = 0

    def note(self, message: str) -> None:
        """Print a note above the bars."""
        text = f"note: {self._spell(message)}"
        self._console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning above the bars."""
        text = f"warning: {self._spell(message)}"
        self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        """Return a stage that draws itself once it has lasted two seconds."""
        if self._bars is None:
            self._bars = _bars(self._console)
            self._bars.start()
        self._open += 1
        return _BarStage(self._bars, name, total, unit)

    def close_stage(self, stage: Stage) -> None:
        """Remove the bar, leave a line of a stage that lasted, and give the terminal back at the end."""
        if isinstance(stage, _BarStage):
            seconds = stage.finish()
            if seconds >= _PATIENCE:
                self._console.print(stage_line(stage, seconds), markup=False, highlight=False, soft_wrap=True)
        self._open -= 1
        if self._open == 0 and self._bars is not None:
            self._bars.stop()
            self._bars = None


class _BarStage(_FieldStage):
    """A stage with its bar."""

    def __init__(self, bars: Any, name: str, total: int | None, unit: str) -> None:
        """Add the bar, hidden until the stage has lasted."""
        super().__init__(name, total, unit)
        self._bars = bars
        self._started = time.perf_counter()
        self._task = bars.add_task(name, total=total, visible=False, said="")

    def advance(self, count: int = 1, **fields: object) -> None:
        """Count, and draw once two seconds have passed."""
        super().advance(count, **fields)
        said = ", ".join(
            [amount(self.done, self.unit), *(f"{name} {value}" for name, value in self.fields.items())]
        )
        lasting = time.perf_counter() - self._started >= _PATIENCE
        self._bars.update(self._task, completed=self.done, said=said, visible=lasting)

    def set_total(self, total: int | None) -> None:
        """Correct the total, also of the bar."""
        super().set_total(total)
        self._bars.update(self._task, total=total)

    def finish(self) -> float:
        """Remove the bar and return the seconds the stage lasted."""
        self._bars.remove_task(self._task)
        return time.perf_counter() - self._started


def _bars(console: Console) -> Any:
    """Return the row of columns of every bar."""
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _print(message: str) -> None:
    """Print one line to standard error."""
    print(" ".join(message.split()), file=sys.stderr, flush=True)
