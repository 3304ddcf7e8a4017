"""Draw a report as one HTML file that needs nothing else: no network, no other file.

Jinja escapes every value; the plots and the stylesheet, which this package makes itself, are the only
markup passed through. The script makes tables searchable and sortable and opens evidence; without it
the page still shows every row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from forensics.report.blocks import Document, Table

if TYPE_CHECKING:
    import jinja2

    from forensics.report.plots.style import Plot

__all__ = ["to_html"]


def to_html(document: Document, plots: Mapping[str, Plot]) -> str:
    """Return the report as one self-contained HTML page.

    :param document: The report.
    :param plots: The plots by name; figures without one are left out.
    """
    tables = [block for section in document.sections for block in section.blocks if isinstance(block, Table)]
    evidence = {
        f"{table.name}:{number}": row.details
        for table in tables
        for number, row in enumerate(table.rows)
        if row.details
    }
    tips = {f"{name}-{group}": lines for name, plot in plots.items() for group, lines in plot.tips.items()}
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            plots=plots,
            evidence=_script_json(evidence),
            tips=_script_json(tips),
            style=_asset("report.css"),
            script=_asset("report.js"),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    """Return the templates, with escaping on and unknown names refused."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["kind"] = _is_kind
    return environment


def _is_kind(value: object, name: str) -> bool:
    """Whether a block or cell is of the kind `name`: its class, in lower case."""
    return type(value).__name__.removesuffix("Block").lower() == name


def _asset(name: str) -> str:
    """Return a file of the templates folder."""
    return (resources.files("forensics.report") / "templates" / name).read_text(encoding="utf-8")


def _script_json(value: object) -> str:
    """Return JSON that may stand inside a script element: no angle bracket or ampersand survives."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
