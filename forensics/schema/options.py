"""Options declared once: a dataclass per command, whose fields carry default, range, help and kind.

From such a class come the command line's options (`cli/options.py`), the checks (`check`), the part of the
fingerprint (`moving`) and the interface page. The library speaks of `candidates`; only the command line
adds the dashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from forensics.errors import OptionError

__all__ = ["Option", "Range", "check", "moving", "option", "options_of"]

#: The key of `Option` in a field's metadata.
_KEY = "option"


@dataclass(frozen=True)
class Range:
    """The numbers that an option may have."""

    least: float | None = None
    most: float | None = None
    #: Whether `least` itself is too small, and `most` too large.
    open_least: bool = False
    open_most: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies in it; NaN never does."""
        above = self.least is None or (value > self.least if self.open_least else value >= self.least)
        below = self.most is None or (value < self.most if self.open_most else value <= self.most)
        return above and below and value == value

    def __str__(self) -> str:
        """The range in words.

        >>> str(Range(0, 100, open_least=True))
        'above 0, up to 100'
        """
        words = []
        if self.least is not None:
            words.append(f"above {self.least:g}" if self.open_least else f"from {self.least:g}")
        if self.most is not None:
            words.append(f"below {self.most:g}" if self.open_most else f"up to {self.most:g}")
        return ", ".join(words)


@dataclass(frozen=True)
class Option:
    """What there is to say about one option besides its name, type and default."""

    #: One sentence for `--help` and the interface page.
    help: str
    #: What stands for the value in the help.
    metavar: str | None = None
    range: Range | None = None
    #: The words it may have; empty: any.
    choices: tuple[str, ...] = ()
    #: Whether another value can give other numbers, so that it belongs to the fingerprint. Where a run
    #: computes (device, threads) moves last digits only and is kept out, so that a run may be continued.
    moves: bool = True
    #: How a default of None is told to the user.
    default_text: str | None = None
    #: Token ids, written out or in a file.
    ids: bool = False
    #: A path; what the file holds is hashed with the inputs, so that its name moves nothing.
    path: bool = False
    #: May be given several times; the field is a tuple.
    multiple: bool = False
    #: `NAME` of a switch `--name/--no-name` where the default is None or True.
    both_ways: bool = False


def option(default: Any, help: str, **details: Any) -> Any:
    """Return a dataclass field that is an option.

    :param default: Its default.
    :param help: See `Option`.
    :param details: The other fields of `Option`.
    """
    return field(default=default, metadata={_KEY: Option(help, **details)})


def options_of(kind: type) -> Iterator[tuple[str, Option, Any]]:
    """Yield name, option and default of every option of a class of options."""
    for each in fields(kind):
        if _KEY in each.metadata:
            yield each.name, each.metadata[_KEY], each.default


def check(options: object) -> None:
    """Refuse values outside their range or choices.

    :param options: A dataclass of options.
    :raises OptionError: Names the first option at fault.
    """
    for name, declared, _ in options_of(type(options)):
        value = getattr(options, name)
        if value is None:
            continue
        if declared.choices and str(value) not in declared.choices:
            raise OptionError(name, f"found {value!r}", f"choose from {', '.join(declared.choices)}")
        if declared.range is not None and not declared.range.holds(value):
            raise OptionError(name, f"found {value}", f"give a number {declared.range}")
        if declared.ids and len(value) == 0:
            raise OptionError(name, "names no token", "give at least one id")


def moving(options: object) -> dict[str, Any]:
    """Return the options that can move a number, for the fingerprint and the manifest."""
    return {
        name: getattr(options, name)
        for name, declared, _ in options_of(type(options))
        if declared.moves and not declared.path
    }
