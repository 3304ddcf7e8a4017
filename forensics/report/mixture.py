"""The report of `mixture`: the shares, how sure they are, and which merges they leave unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BadInputError
from forensics.files import read_json, write_atomically, write_json
from forensics.report.blocks import (
    Block,
    Cell,
    Code,
    Document,
    Facts,
    FigureBlock,
    Listing,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
    Tile,
)
from forensics.report.pages import write_pages
from forensics.report.results import Results
from forensics.report.sections.run import notes, provenance
from forensics.report.visible import plain, token_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "load_merges",
    "mixture_document",
    "mixture_headline",
    "render_mixture",
    "save_mixture",
]

_CAVEAT = (
    "Shares are of the categories given here: text of another kind is credited to whichever of them it "
    "resembles, and leaving a category out hardly moves the violation. A low violation does not show that "
    "the list of categories is complete."
)

#: Kind of merge that is applied and not explained -> what that means.
_ASIDE = {
    "by_hand": "merges were put in by hand: ladders of whitespace or numbers, or tokens declared as added.",
    "unformable": "merges can never be formed: text is always cut within what they make.",
}


def save_mixture(
    folder: Path, summary: Mapping[str, Any], merges: pd.DataFrame, manifest: Mapping[str, Any]
) -> list[Path]:
    """Write `mixture.json`, `merges.parquet` and the manifest, then the reports rendered from them.

    :return: The files written, `report.html` first.
    :raises OutputError: If anything cannot be written.
    """
    data = [
        write_atomically(folder / "merges.parquet", lambda file: merges.to_parquet(file, index=False)),
        write_json(folder / "manifest.json", manifest),
        # Last of the data: a folder that has it has everything it speaks of.
        write_json(folder / "mixture.json", summary),
    ]
    return [*render_mixture(folder), *data]


def load_merges(folder: Path) -> pd.DataFrame:
    """Return the table of merges of a run.

    :raises BadInputError: If it is missing or damaged.
    """
    import pandas as pd

    path = folder / "merges.parquet"
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise BadInputError(
            path, f"cannot be read ({error})", "run the command again with --overwrite"
        ) from error


def render_mixture(folder: Path) -> list[Path]:
    """Write `report.html`, `report.md` and the plots from the data files in `folder`."""
    from forensics.report.mixture_plots import draw_mixture_plots

    summary, merges = read_json(folder / "mixture.json"), load_merges(folder)
    manifest = read_json(folder / "manifest.json") if (folder / "manifest.json").exists() else {}
    document = mixture_document(summary, manifest)
    return write_pages(folder, document, draw_mixture_plots(summary, merges))


def mixture_headline(summary: Mapping[str, Any]) -> str:
    """Return the finding in a sentence; where the estimate is in doubt, that and no shares."""
    name = summary["tokenizer"]["name"]
    if summary["doubts"]:
        return f"No reliable estimate for {name}: {'; '.join(summary['doubts'])}."
    groups = summary["groups"] or summary["proportions"]
    largest = sorted(groups.items(), key=lambda item: -item[1])[:3]
    first = ", ".join(f"{share:.0%} {group}" for group, share in largest)
    best, share = max(summary["proportions"].items(), key=lambda item: item[1])
    most = f"; the largest category is {best} with {share:.0%}" if summary["groups"] else ""
    return (
        f"The merges of {name} fit training text of {first}{most} "
        f"({summary['merges_used']:,} merges, {summary['violation']['total']:.0%} of counts unexplained)."
    )


def mixture_document(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> Document:
    """Return the report of a run.

    :param summary: The contents of `mixture.json`.
    :param manifest: The contents of `manifest.json`, or nothing.
    """
    import pandas as pd

    import forensics

    results = Results(pd.DataFrame(), summary, manifest)
    sections = [
        _shares(summary),
        _trust(summary),
        _unexplained(summary),
        _text(summary),
        notes(results),
        provenance(results),
    ]
    return Document(
        title=f"{summary['tokenizer']['name']}: data mixture",
        subtitle=(
            f"{summary['merges_total']:,} merges, cut by {summary['splitting']['origin']}, "
            f"fed in {summary['splitting']['unit']}"
        ),
        headline=mixture_headline(summary),
        tiles=_tiles(summary),
        sections=tuple(section for section in sections if section is not None),
        made_by=f"forensics {manifest.get('versions', {}).get('forensics', forensics.__version__)}",
    )


def _tiles(summary: Mapping[str, Any]) -> tuple[Tile, ...]:
    violation = summary["violation"]["total"]
    return (
        *(Tile(group, f"{share:.0%}") for group, share in summary["groups"].items()),
        Tile("merges explained", f"{summary['merges_used']:,}", f"of {summary['merges_total']:,}"),
        Tile(
            "unexplained", f"{violation:.0%}", "of the expected counts", "bad" if violation > 0.5 else "plain"
        ),
    )


def _shares(summary: Mapping[str, Any]) -> Section:
    """Return the table and the picture of the shares."""
    intervals, baselines = summary.get("interval") or {}, summary.get("baselines") or {}
    other = summary.get("other_method") or {}
    columns = ["category", "share"]
    columns += ["low", "high"] if intervals else []
    columns += ["other method"] if other else []
    columns += list(baselines)
    rows = []
    for name, share in sorted(summary["proportions"].items(), key=lambda item: -item[1]):
        cells: list[Cell] = [Code(name), Number(share, percent=True)]
        cells += [Number(end, percent=True) for end in intervals.get(name, ())]
        cells += [Number(other[name], percent=True)] if other else []
        cells += [Number(guess[name], percent=True) for guess in baselines.values()]
        rows.append(Row(tuple(cells)))
    blocks: list[Block] = [Paragraph(doubt, "warn") for doubt in summary["doubts"]]
    blocks.append(Paragraph(_CAVEAT))
    caption = "Shares of the training text, in bytes."
    if summary.get("interval"):
        caption += (
            f" The bars are nominal 95 % intervals from {summary['bootstrap']} simulated tokenizers. They "
            "know the noise of sampling and not how unlike the training text the given text is: with other "
            "documents of source code they held the truth in half of the cases "
            "(benchmarks/mixture_coverage.py)."
        )
    blocks.append(FigureBlock("shares", caption))
    if summary["groups"]:
        grouped = sorted(summary["groups"].items(), key=lambda item: -item[1])
        lines = tuple(Row((Code(group), Number(share, percent=True))) for group, share in grouped)
        blocks.append(
            Table("groups", "Shares by group.", ("group", "share"), lines, len(lines), "mixture.json")
        )
    blocks.append(Table("shares", caption, tuple(columns), tuple(rows), len(rows), "mixture.json"))
    return Section("shares", "Shares", tuple(blocks))


def _trust(summary: Mapping[str, Any]) -> Section:
    """Return how well the list is explained, along its length."""
    violation = summary["violation"]
    facts = [
        ("expected counts missing", Number(violation["total"], percent=True)),
        ("mean shortfall per merge", Number(violation["per_merge_mean"], percent=True)),
        ("merges that occur in no text", Number(summary["missing_merges"])),
        ("expected count at the last merge", Number(float(summary["least_expected_count"]), 3)),
        ("early and late merges differ about", Number(summary["early_late_disagreement"], percent=True)),
    ]
    if violation.get("lp_slack") is not None:
        facts.append(("slack of the linear program, per byte", Number(float(violation["lp_slack"]))))
    facts += [
        (f"merges left out: {kind}", Number(count)) for kind, count in summary["merges_dropped"].items()
    ]
    facts += _unlearned(summary)
    caption = (
        "Above, the count of each learned pair in the estimated mixture and the decreasing curve that it "
        "should follow; below, the mean share by which the merges of a stretch fall short of it."
    )
    return Section("violation", "Fit", (Facts(tuple(facts)), FigureBlock("violation", caption)))


def _unlearned(summary: Mapping[str, Any]) -> list[tuple[str, Number]]:
    """Return how much of the list and the vocabulary training did not choose."""
    if "merges_aside" not in summary:  # a run of version 0.1 or before
        return []
    aside, unmade = summary["merges_aside"], summary["tokens_without_merge"]
    return [
        ("merges put in by hand, applied and not explained", Number(aside["by_hand"]["count"])),
        ("merges that no text can form, likewise", Number(aside["unformable"]["count"])),
        ("tokens no merge makes, declared as added", Number(unmade["declared"])),
        ("tokens no merge makes, not declared", Number(unmade["undeclared"])),
        ("pieces that several ids have", Number(summary["duplicate_pieces"])),
    ]


def _unexplained(summary: Mapping[str, Any]) -> Section | None:
    """Return the merges that no mixture of the categories explains."""
    rows = tuple(
        Row(
            (
                Number(each["step"]),
                Code(_pair(each["pair"])),
                Number(float(each["ratio"]), 2),
                ", ".join(
                    f"{_pair(rival['pair'])} ({rival['ratio']:.2g})" for rival in each["should_have_won"]
                ),
            )
        )
        for each in summary["unexplained"]
    )
    missing = [_pair(pair) for pair in summary["missing_examples"]]
    blocks: list[Block] = []
    if rows:
        caption = "Merges that fall furthest short of the curve, and the pairs that should have won there."
        columns = ("merge", "pair", "count / expected", "more frequent in the mixture (count / expected)")
        blocks.append(Table("unexplained", caption, columns, rows, len(rows), "mixture.json"))
    if missing:
        blocks.append(
            Paragraph(f"{summary['missing_merges']:,} merges occur in none of the texts; the first are:")
        )
        blocks.append(Listing((", ".join(missing),)))
    for kind, meaning in _ASIDE.items():
        aside = summary.get("merges_aside", {}).get(kind)
        if aside and aside["count"]:
            first = ", ".join(_pair(each["pair"]) for each in aside["examples"])
            blocks += [Paragraph(f"{aside['count']:,} {meaning} The first are:"), Listing((first,))]
    return Section("unexplained", "What is not explained", tuple(blocks)) if blocks else None


def _text(summary: Mapping[str, Any]) -> Section:
    """Return how much text there was of every category."""
    rows = tuple(
        Row(
            (
                Code(name),
                Number(text["bytes"]),
                Number(text["pretokens"]),
                Number(text["distinct_pretokens"]),
                Number(text["dropped_rare"]),
            )
        )
        for name, text in summary["text"].items()
    )
    columns = ("category", "bytes", "pre-tokens", "distinct", "rare ones dropped")
    return Section(
        "text", "Text", (Table("text", "The counted text.", columns, rows, len(rows), "mixture.json"),)
    )


def _pair(pair: list[str]) -> str:
    """Return a pair so that nothing in it is invisible."""
    return " + ".join(plain(token_text(None, part)) for part in pair)
