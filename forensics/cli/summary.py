"""What a command says at its end on standard output: the finding, the worst tokens, where the report is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forensics.cli.console import summary_console
from forensics.report.headline import headline
from forensics.report.results import Results, row_token
from forensics.report.sections.verified import ordinary
from forensics.report.visible import plain, shorten

if TYPE_CHECKING:
    import pandas as pd

    from forensics.runs.frame.result import RunResult

__all__ = ["print_summary"]

#: Tokens that are listed.
_WORST = 10
_SHORT_SIZES = {"config": "config", "matrix": "matrix", "tokenizer": "tokenizer"}


def print_summary(result: RunResult, folder: Path) -> None:
    """Print the summary of a run; plain text without colour where nobody watches.

    :param result: The run.
    :param folder: Where its report is.
    """
    from rich.table import Table
    from rich.text import Text

    results = Results(result.tokens, result.summary, result.manifest)
    with summary_console(headline(results), folder) as console:
        facts = Table.grid(padding=(0, 2, 0, 0))
        for label, value in _lines(results):
            facts.add_row(Text(label, style="dim"), Text(value))
        console.print(facts)
        table = _worst_table(results)
        if table is not None:
            console.print()
            console.print(table)


def _lines(results: Results) -> list[tuple[str, str]]:
    """Return sizes, indicator and counts, those that the run has."""
    lines = []
    sizes = [
        f"{name} {results.get(f'sizes.{key}'):,}"
        for key, name in _SHORT_SIZES.items()
        if results.get(f"sizes.{key}")
    ]
    if sizes:
        lines.append(("sizes", ", ".join(sizes)))
    past = results.get("sizes.past_vocabulary.rows")
    if past:
        can = {True: "can win the argmax", False: "cannot win the argmax"}
        verdict = can.get(
            results.get("sizes.past_vocabulary.can_win_argmax"), "may or may not win the argmax"
        )
        lines.append(("past the end", f"{past:,} rows past the tokenizer's vocabulary {verdict}"))
    if results.get("indicator.name"):
        cut = results.get("indicator.n_candidates")
        below = results.get("indicator.data_driven.n_below")
        parts = [str(results.get("indicator.name"))]
        if cut is not None and results.get("indicator.percent") is not None:
            parts.append(f"{cut:,} candidates at {results.get('indicator.percent'):g} %")
        if below is not None:
            parts.append(f"{below:,} below the threshold found in the data")
        lines.append(("indicator", ", ".join(parts)))
    counts = [
        f"{results.get(f'counts.{key}'):,} {name}"
        for key, name in (
            ("single_byte", "single bytes"),
            ("partial_utf8", "partial UTF-8"),
            ("unreachable", "unreachable"),
            ("special", "special"),
            ("unused_row", "rows past the vocabulary"),
        )
        if results.get(f"counts.{key}")
    ]
    if counts:
        lines.append(("vocabulary", ", ".join(counts)))
    return lines


def _worst(results: Results) -> pd.DataFrame | None:
    """Return the worst tokens: verified ones if the model was run, candidates otherwise."""
    if not results.has("rank"):
        return None
    chosen = results.verified if results.get("verification.tested") else results.where("is_candidate", True)
    # Ordinary entries first: that a reserved row is untrained surprises nobody.
    preferred = chosen & ordinary(results)
    rows = results.tokens[preferred if preferred.any() else chosen]
    return rows.sort_values(["rank", "token_id"], kind="stable").head(_WORST) if len(rows) else None


def _worst_table(results: Results) -> object | None:
    """Return the worst tokens as a table that fits the terminal."""
    from rich.table import Table
    from rich.text import Text

    rows = _worst(results)
    if rows is None:
        return None
    indicator = results.indicator
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("id", justify="right")
    table.add_column("token", no_wrap=True, overflow="ellipsis")
    table.add_column(indicator or "indicator", justify="right", no_wrap=True)
    tested = bool(results.get("verification.tested"))
    if tested:
        table.add_column("max_prob", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
    for record in rows.to_dict("records"):
        cells = [
            Text(str(record["token_id"])),
            Text(shorten(plain(row_token(record)), 40)),
            Text(f"{float(record[indicator]):.4g}" if indicator else "–"),
        ]
        if tested:
            cells += [
                Text(f"{float(record['max_prob']):.2g}"),
                Text(str(record["verdict"]).replace("_", " ")),
            ]
        table.add_row(*cells)
    return table
