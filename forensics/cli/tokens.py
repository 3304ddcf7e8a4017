"""`forensics tokens`: a vocabulary alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli.fail_on import Condition
from forensics.cli.main import Session
from forensics.cli.options import analysis_options, fail_on_option
from forensics.cli.parsing import default_folder

__all__ = ["command"]


@click.command("tokens", epilog="Example: forensics tokens demo --out results/demo-tokens")
@click.argument("tokenizer")
@fail_on_option("tokens", "unreachable>0")
@analysis_options
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
    from forensics.cli.start import started
    from forensics.cli.summary import print_summary

    folder = out or default_folder(tokenizer)
    with started(session, folder, quiet=as_json) as progress:
        result = fx.tokens(
            tokenizer, out=folder, command_line=session.command_line, progress=progress, **options
        )
    return finish(result, folder, lambda: print_summary(result, folder), as_json=as_json, conditions=fail_on)
