"""The errors a user can meet: one family, so that the command line catches one class.

Every message is one line and says which file, what was found in it, and what to do.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["BadInputError", "ForensicsError", "MissingExtraError", "OptionError", "OutputError"]


class ForensicsError(Exception):
    """Something the user can act on; the command line prints it as one line and exits with 2."""


class BadInputError(ForensicsError):
    """An input file, folder or option cannot be used."""

    def __init__(self, where: str | Path, found: str, remedy: str) -> None:
        """Build the one-line message.

        :param where: The file, folder, tensor or option at fault.
        :param found: What was found there (and what was expected).
        :param remedy: What the user can do about it.
        """
        self.where = str(where)
        self.found = found
        self.remedy = remedy
        self._given = (self.where, found, remedy)
        super().__init__(" ".join(f"{where}: {found}; {remedy}".split()))

    def __reduce__(self) -> tuple[type[BadInputError], tuple[str, str, str]]:
        """Make the error cross from a worker process: an exception is rebuilt from its arguments."""
        return type(self), self._given


class OptionError(BadInputError):
    """An option has a value that cannot be used.

    `where` is the option's name in Python, e.g. `max_candidates`; the command line shows it as the user
    typed it, `--max-candidates`.
    """

    @property
    def flag(self) -> str:
        """The option as it is typed on the command line."""
        return "--" + self.where.replace("_", "-")

    def as_typed(self) -> str:
        """Return the message with the option as it is typed on the command line."""
        return " ".join(f"{self.flag}: {self.found}; {self.remedy}".split())


class MissingExtraError(ForensicsError):
    """A library that only some commands need is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        """Build the message with the line that installs the extra.

        :param package: The import name that was missing.
        :param extra: The extra of this project that brings it.
        :param purpose: What it is needed for, as a noun phrase.
        """
        self.package = package
        self.extra = extra
        self._given = (package, extra, purpose)
        super().__init__(
            f"{purpose} needs the package {package!r}; install it with: pip install 'forensics[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Make the error cross from a worker process."""
        return type(self), self._given


class OutputError(ForensicsError):
    """A result could not be written; nothing half-written is left behind."""
