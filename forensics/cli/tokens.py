"""`forensics tokens`: a vocabulary alone."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from forensics.cli.fail_on import Condition
from forensics.cli.main import Session
from forensics.cli.options import (
    CONDITION,
    check_folder,
    debug_option,
    json_option,
    offline_option,
    output_options,
)
from forensics.cli.parsing import default_folder

__all__ = ["command"]


@click.command("tokens", epilog="Example: forensics tokens demo --out results/demo-tokens")
@click.argument("tokenizer")
@click.option(
    "--fail-on",
    type=CONDITION,
    multiple=True,
    metavar="CONDITION",
    help="Exit with 1 if met, e.g. 'unreachable>0'; may be repeated.",
)
@output_options
@offline_option
@json_option
@debug_option
@click.pass_obj
def command(
    session: Session,
    /,
    tokenizer: str,
    out: Path | None,
    as_json: bool,
    fail_on: tuple[Condition, ...],
    **options: Any,
) -> int:
    """Examine the vocabulary of TOKENIZER: categories, bytes, scripts, merge problems.

    TOKENIZER is a model folder or file, a tokenizer.json, a SentencePiece .model, a tiktoken rank file,
    a folder with vocab.json and merges.txt, a hub id, or `demo`.
    """
    import forensics as fx
    from forensics.cli.finish import finish
    from forensics.cli.terminal import make_progress

    folder = out or default_folder(tokenizer)
    check_folder(folder)
    session.folder = folder
    with redirect_stdout(sys.stderr):
        result = fx.tokens(
            tokenizer,
            out=folder,
            command_line=session.command_line,
            progress=make_progress(quiet=as_json),
            **options,
        )
    return finish(result, folder, as_json=as_json, conditions=fail_on)
