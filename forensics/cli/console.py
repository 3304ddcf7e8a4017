"""Where a command prints its finding: standard output, wrapped as wide as the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["summary_console"]

#: Columns where nobody watches.
_PIPE_WIDTH = 100


@contextmanager
def summary_console(headline: str, folder: Path) -> Iterator[Console]:
    """Print a headline, whatever is printed inside the block, and where the report is.

    :param headline: The finding in a sentence or two.
    :param folder: Where the report is.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    with console.capture() as captured:
        console.print(Text(headline, style="bold"))
        console.print()
        yield console
    # Tables and wrapped lines are padded; nobody wants the spaces in a log.
    text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
    console.file.write(f"{text}\nreport  {folder / 'report.html'}\n")
