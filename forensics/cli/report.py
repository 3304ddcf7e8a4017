"""`forensics report`: the reports of a finished run, rendered again from its data files."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.frame.options import debug_option, json_option

__all__ = ["command"]


def _render(folder: Path, as_json: bool) -> int:
    """Render report.md and report.html again from the data files in DIR."""
    from forensics.cli.frame.streams import library_output_on_stderr, write_json, write_text
    from forensics.files import dump_json
    from forensics.report.render import render

    with library_output_on_stderr():
        written = [str(path) for path in render(folder)]
    if as_json:
        write_json(dump_json({"out": str(folder), "written": written}))
    else:
        write_text("".join(f"{path}\n" for path in written))
    return 0


command = click.Command(
    "report",
    params=[
        click.Argument(["folder"], metavar="DIR", type=click.Path(path_type=Path)),
        json_option(),
        debug_option(),
    ],
    callback=_render,
    help=_render.__doc__,
    short_help="Render the reports of a finished run again.",
    epilog="Example: forensics report results/demo",
)
