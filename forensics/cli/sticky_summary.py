"""What `forensics sticky` says at its end: the finding, the worst tokens, where the report is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forensics.cli.console import summary_console
from forensics.report.results import Results
from forensics.report.sticky import sticky_headline
from forensics.report.visible import plain, shorten, token_text

if TYPE_CHECKING:
    from forensics.runs.sticky.result import StickyResult

__all__ = ["print_sticky"]

_WORST = 10


def print_sticky(result: StickyResult, folder: Path) -> None:
    """Print the finding and the tokens of the first ranks."""
    from rich.table import Table
    from rich.text import Text

    tokens = result.tokens
    known = tokens[tokens["rank"].notna()].sort_values("rank").head(_WORST)
    wanted = ("effect", "validation", "q_value", "slope", "sticky_score", "per_million", "sticky")
    names = [name for name in wanted if name in tokens]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("id", "token", *names):
        table.add_column(heading, justify="left" if heading == "token" else "right", no_wrap=True)
    for row in known.to_dict("records"):
        shown = shorten(plain(token_text(int(row["token_id"]), row["piece"])), 30)
        table.add_row(str(row["token_id"]), Text(shown), *(_cell(row[name]) for name in names))
    headline = sticky_headline(Results(result.tokens, result.summary, result.manifest))
    with summary_console(headline, folder) as console:
        console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.3g}"  # NaN is the one value unlike itself
    return {True: "yes", False: "no"}.get(value, "–") if isinstance(value, bool) else str(value)
