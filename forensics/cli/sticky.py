"""`forensics sticky`: which tokens distort a text-embedding model."""

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
    resume_option,
    seed_option,
    threads_option,
)
from forensics.cli.parsing import default_folder

__all__ = ["command"]


@click.command("sticky", epilog="Example: forensics sticky demo --tokens 103,2000-2010 --out results/sticky")
@click.argument("model")
@click.option(
    "--method",
    type=click.Choice(["contraction", "std"]),
    default="contraction",
    show_default=True,
    help="contraction: slope of similarities, with error control. std: the published procedure, exactly.",
)
@click.option(
    "--sentences",
    multiple=True,
    metavar="FILE",
    help="Sentences, one a line; given twice, the second confirms.  [default: embedded English ones]",
)
@click.option("--pairs", metavar="FILE.csv", help="Columns sentence1,sentence2,similarity, for --method std.")
@click.option("--tokens", type=IDS, metavar="IDS|FILE", help="Only these; same numbers as in a full run.")
@click.option(
    "--insertions", type=click.IntRange(min=1), default=8, show_default=True, help="Copies of a token."
)
@click.option(
    "--pairs-score", type=click.IntRange(min=1), default=5, show_default=True, help="std: pairs of the score."
)
@click.option(
    "--pairs-validate",
    type=click.IntRange(min=1),
    default=250,
    show_default=True,
    help="std: pairs of the validation.",
)
@click.option(
    "--shortlist",
    type=click.FloatRange(0, 100, min_open=True),
    default=2.0,
    show_default=True,
    metavar="PERCENT",
    help="Share that is shortlisted; with contraction at least this.",
)
@click.option("--early-stop", is_flag=True, help="std: leave tokens that cannot come into the shortlist.")
@click.option(
    "--minimum-effect",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="contraction: the least effect that counts.  [default: 0.25, or 3 standard deviations of ordinary "
    "tokens if that is more]",
)
@click.option(
    "--ordinary-sample",
    type=click.IntRange(min=3),
    default=64,
    show_default=True,
    help="contraction: random tokens whose median is the ordinary token.",
)
@click.option(
    "--corpora",
    multiple=True,
    metavar="DIR",
    help="Count every token in this text: one file or folder per category, or `demo`.",
)
@click.option(
    "--max-bytes", type=click.IntRange(min=1), metavar="N", help="Text read of each category at most."
)
@click.option(
    "--effects/--no-effects",
    default=True,
    show_default=True,
    help="contraction: try sticky tokens on retrieval, look at their attention.",
)
@click.option("--pooling", metavar="MODE", help="mean, cls, last or max, where the folder does not say.")
@click.option("--device", default="auto", show_default=True, help="Where the model runs: cpu, cuda, mps.")
@click.option("--dtype", default="auto", show_default=True, help="float32, bfloat16, float16.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "torch", "onnx"]),
    default="auto",
    show_default=True,
    help="What runs the model; auto is ONNX Runtime for float32 on a CPU, if installed.",
)
@click.option(
    "--screen-dtype", default="auto", show_default=True, help="contraction: the same for the screen alone."
)
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Texts per forward pass.")
@threads_option
@fail_on_option("sticky", "sticky>0")
@seed_option
@resume_option
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
    """Find the tokens that distort the text-embedding MODEL.

    MODEL is a sentence-transformers folder, an encoder folder with --pooling, a hub id, or `demo`
    (all-MiniLM-L6-v2). Writes tokens.parquet, summary.json, manifest.json, report.md and report.html.
    """
    import forensics as fx
    from forensics.cli.finish import finish
    from forensics.cli.start import started
    from forensics.cli.sticky_summary import print_sticky

    folder = out or default_folder("all-MiniLM-L6-v2" if model == "demo" else model)
    with started(session, folder, quiet=as_json) as progress:
        result = fx.find_sticky_tokens(
            model, out=folder, command_line=session.command_line, progress=progress, **options
        )
    return finish(
        result,
        folder,
        lambda: print_sticky(result, folder),
        as_json=as_json,
        conditions=fail_on,
        left_out=["scatter"],  # points of the plots
    )
