"""The examples of README.md: each command with the output printed below it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


@dataclass(frozen=True)
class Example:
    """A command as the reader types it, and what the README says it prints."""

    command: str
    output: str

    @property
    def arguments(self) -> list[str]:
        """The words after `forensics`."""
        return shlex.split(self.command, comments=True)[1:]


def examples() -> list[Example]:
    """Return every example of a `console` block whose command is `forensics`."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("forensics "):
                found.append(Example(command, output))
    return found


def example(start: str) -> Example:
    """Return the one example whose command begins with `start`."""
    (one,) = (found for found in examples() if found.command.startswith(start))
    return one


def python_block() -> str:
    """Return the code under "In Python"."""
    (block,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return block


def words(text: str) -> str:
    """Return text with every stretch of white space as one blank, so that wrapping does not matter."""
    return " ".join(text.split())


def headline(output: str) -> str:
    """Return the finding: the first paragraph."""
    return words(output.partition("\n\n")[0])


def rows(output: str) -> list[tuple[int, list[str]]]:
    """Return id and cells of every line of the table of tokens."""
    cells = (re.split(r"\s{2,}", line.strip()) for line in output.splitlines())
    return [(int(first), rest) for first, *rest in cells if first.isdigit() and len(rest) > 2]
