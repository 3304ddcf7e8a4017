"""`forensics report`: the reports of a finished run, rendered again from its data files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from forensics.cli.options import debug_option, json_option

__all__ = ["command"]


@click.command("report", epilog="Example: forensics report results/demo")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@debug_option
def command(folder: Path, as_json: bool) -> int:
    """Render report.md and report.html again from the data files in DIR."""
    from forensics.report.render import render

    written = render(folder)
    if as_json:
        print(json.dumps({"out": str(folder), "written": [str(path) for path in written]}))
    else:
        for path in written:
            print(path)
    return 0
