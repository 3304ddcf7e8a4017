"""`forensics export`: what a scan found, as a ban list for the program that runs the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli.frame.options import debug_option, declared_options, json_option
from forensics.schema.export import ExportOptions

__all__ = ["command"]


def _export(folder: Path, out: Path | None, as_json: bool, **options: Any) -> int:
    """Write the tokens that a finished scan in DIR found as a list that bans them from what a model says.

    What it reads is untouched by it. Tokens with a role (bos, eos, ..) and special entries that no file
    declares reserved are never on the list.
    """
    from forensics.cli.frame.streams import library_output_on_stderr, write_json, write_text
    from forensics.files import dump_json, write_atomically
    from forensics.repairing.ban_formats import LOGIT_BIAS_ENTRIES
    from forensics.runs.export import ban_list

    with library_output_on_stderr():
        bans = ban_list(folder, **options)
    text = bans.text(options["format"])
    if options["format"] == "logit-bias" and len(bans.ids) > LOGIT_BIAS_ENTRIES:
        click.echo(
            f"warning: {len(bans.ids):,} entries; some services refuse more than {LOGIT_BIAS_ENTRIES}",
            err=True,
        )
    if out is not None:
        write_atomically(out, lambda file: file.write(text.encode()))
    if as_json:
        write_json(dump_json({"format": options["format"], "ids": list(bans.ids), "out": out and str(out)}))
    else:
        write_text(text if out is None else f"{out}\n")
    return 0


command = click.Command(
    "export",
    params=[
        click.Argument(["folder"], metavar="DIR", type=click.Path(path_type=Path)),
        *declared_options(ExportOptions, {}),
        click.Option(
            ["--out"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Where the list is written.  [default: standard output]",
        ),
        json_option(),
        debug_option(),
    ],
    callback=_export,
    help=_export.__doc__,
    short_help="Write what a scan found as a ban list.",
    epilog="Example: forensics export results/demo --format transformers",
)
