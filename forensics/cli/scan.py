"""`forensics scan`: which tokens of a model are under-trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli.fail_on import Condition
from forensics.cli.main import Session
from forensics.cli.options import (
    IDS,
    analysis_options,
    fail_on_option,
    remote_code_option,
    resume_option,
    seed_option,
    threads_option,
)
from forensics.cli.parsing import default_folder

__all__ = ["command"]


@click.command("scan", epilog="Example: forensics scan demo --candidates 0.5 --out results/demo")
@click.argument("model")
@click.option("--tokenizer", metavar="TOKENIZER", help="The tokenizer, where MODEL does not bring it.")
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Prompt the model with suspicious tokens.  [default: if it can be run]",
)
@click.option(
    "--candidates",
    type=click.FloatRange(0, 100, min_open=True),
    default=2.0,
    show_default=True,
    metavar="PERCENT",
    help="The least that is verified; the run goes on down the list until verification dries up.",
)
@click.option("--max-candidates", type=click.IntRange(min=1), metavar="N", help="The most that is verified.")
@click.option(
    "--audit-sample",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    metavar="N",
    help="Random tokens outside the candidates that are verified too: recall and false-alarm floor.",
)
@click.option("--tokens", type=IDS, metavar="IDS|FILE", help="Verify just these, e.g. 177-187,50256.")
@click.option(
    "--reference",
    type=IDS,
    metavar="IDS",
    help="Tokens known to be untrained, e.g. 177-187,50256.  [default: found automatically]",
)
@click.option(
    "--indicator", metavar="NAME", help="Main indicator, e.g. eout_cosine.  [default: chosen by the data]"
)
@click.option("--device", default="auto", show_default=True, help="Where the model runs: cpu, cuda, mps.")
@click.option(
    "--dtype", default="auto", show_default=True, help="What it computes in: float32, bfloat16, float16."
)
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Tokens per forward pass.")
@threads_option
@fail_on_option("scan", "verified>100")
@seed_option
@resume_option
@remote_code_option
@analysis_options
@click.pass_obj
def command(
    session: Session,
    /,
    model: str,
    out: Path | None,
    as_json: bool,
    fail_on: tuple[Condition, ...],
    **options: Any,
) -> int:
    """Find the under-trained tokens of MODEL.

    MODEL is a folder in Hugging Face layout, a .safetensors, .gguf or .bin file, a hub id, or `demo`.
    Writes tokens.parquet, summary.json, manifest.json, report.md and report.html into the --out folder.
    """
    import forensics as fx
    from forensics.cli.finish import finish
    from forensics.cli.start import started
    from forensics.cli.summary import print_summary

    folder = out or default_folder(model)
    with started(session, folder, quiet=as_json) as progress:
        result = fx.scan(model, out=folder, command_line=session.command_line, progress=progress, **options)
    return finish(result, folder, lambda: print_summary(result, folder), as_json=as_json, conditions=fail_on)
