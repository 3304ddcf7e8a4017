"""`forensics mixture`: what a tokenizer was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.console import summary_console
from forensics.cli.main import Session
from forensics.cli.options import analysis_options, seed_option
from forensics.cli.parsing import default_folder
from forensics.errors import BadInputError

if TYPE_CHECKING:
    from forensics.runs.mixture.run import MixtureResult

__all__ = ["command"]

#: Categories listed in the terminal.
_LISTED = 15
_PATH = click.Path(path_type=Path)


def _named(values: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the categories of `--corpus NAME=PATH`."""
    pairs = []
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise BadInputError("--corpus", f"found {value!r}", "write NAME=PATH")
        pairs.append((name, path))
    return pairs


@click.command("mixture", epilog="Example: forensics mixture demo --corpora demo --out results/demo-mixture")
@click.argument("tokenizer")
@click.option(
    "--corpora",
    multiple=True,
    metavar="DIR",
    help="One file or folder per category, or `demo`; of several DIRs each is a group.",
)
@click.option("--corpus", multiple=True, metavar="NAME=PATH", help="One more category; may be repeated.")
@click.option(
    "--method",
    type=click.Choice(["curve", "lp"]),
    default="curve",
    show_default=True,
    help="One decreasing curve, or the source's linear program.",
)
@click.option("--compare", is_flag=True, help="Use both methods and warn where they disagree.")
@click.option(
    "--merges",
    type=click.IntRange(min=1),
    metavar="N",
    help="Merges used.  [default: as many as the text supports, 30,000 at most]",
)
@click.option(
    "--skip-merges",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Apply the first N merges without explaining them.",
)
@click.option(
    "--after", metavar="TOKENIZER", help="Explain only what was learned on top of TOKENIZER's merges."
)
@click.option(
    "--max-bytes", type=click.IntRange(min=1), metavar="N", help="Text read of each category at most."
)
@click.option(
    "--denominator",
    type=click.Choice(["bytes", "pairs"]),
    default="bytes",
    show_default=True,
    help="Unit inside the inference; shares are of bytes.",
)
@click.option(
    "--solver",
    default="highs",
    show_default=True,
    metavar="NAME",
    help="Solver of the linear program, any that PuLP knows.",
)
@click.option("--write-lp", type=_PATH, metavar="FILE", help="Write the linear program (.lp or .mps).")
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Train N simulated tokenizers for the intervals.",
)
@click.option(
    "--pretokenizer", metavar="NAME", help="Cut text by a known rule in place of the tokenizer's own."
)
@click.option("--baselines", is_flag=True, help="Give the source's two baselines too.")
@click.option("--cache", type=_PATH, metavar="DIR", help="Keep the counts of text here.")
@click.option("--jobs", type=int, default=1, show_default=True, metavar="N", help="Processes.")
@click.option("--dask", metavar="ADDRESS", help="Count on a Dask cluster.")
@seed_option
@analysis_options
@click.pass_obj
def command(
    session: Session,
    /,
    tokenizer: str,
    out: Path | None,
    as_json: bool,
    corpora: tuple[str, ...],
    corpus: tuple[str, ...],
    **options: Any,
) -> int:
    """Infer the proportions of data categories in the training text of TOKENIZER from its merges.

    TOKENIZER is a BPE tokenizer: a model folder or file, a tokenizer.json, a SentencePiece .model, a
    tiktoken rank file, a hub id, or `demo`.
    """
    import forensics as fx
    from forensics.cli.finish import finish
    from forensics.cli.start import started

    folder = out or default_folder(tokenizer).with_name(f"{default_folder(tokenizer).name}-mixture")
    with started(session, folder, quiet=as_json) as progress:
        result = fx.infer_mixture(
            tokenizer,
            corpora,
            named=_named(corpus),
            out=folder,
            command_line=session.command_line,
            progress=progress,
            **options,
        )
    return finish(result, folder, lambda: _print_summary(result, folder), as_json=as_json)


def _print_summary(result: MixtureResult, folder: Path) -> None:
    """Print the finding and the largest shares; none where the estimate is in doubt."""
    with summary_console(repr(result), folder) as console:
        if result.summary["doubts"]:
            return
        intervals = result.summary["interval"] or {}
        largest = sorted(result.proportions.items(), key=lambda item: -item[1])
        width = max(len(name) for name, _ in largest[:_LISTED])
        for name, share in largest[:_LISTED]:
            ends = intervals.get(name)
            interval = f"  [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]" if ends else ""
            console.print(f"  {name:<{width}}  {100 * share:5.1f} %{interval}", markup=False)
        rest = sum(share for _, share in largest[_LISTED:])
        if rest:
            console.print(f"  {'others':<{width}}  {100 * rest:5.1f} %")
