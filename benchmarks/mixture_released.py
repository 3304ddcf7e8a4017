"""The mixtures of released tokenizers, as shown in results/mixtures/.

    python -m benchmarks.mixture_released results/mixtures --corpora demo TOKENIZER [TOKENIZER ...]
    python -m benchmarks.mixture_released results/mixtures --setting full --max-bytes 1500000 \
        --corpora languages --corpora english --corpora code [--after OTHER] TOKENIZER [TOKENIZER ...]
    python -m benchmarks.mixture_released results/mixtures --setting wide --max-bytes 1500000 --bootstrap 8 \
        --corpora languages --corpora english --corpora code --corpora windows [--after OTHER] TOKENIZER ...

The folders of the last are written by `mixture_texts`.

Writes one NAME.json (the contents of `mixture.json` without paths and times) and NAME.png (the shares) per
tokenizer, and prints the rows of the table. NAME is the tokenizer's, with `-after-OTHER` and the name of
the setting behind it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import forensics as fx
from forensics.files import write_atomically, write_json
from forensics.report.plots.mixture import draw_plots


def main() -> None:
    """Infer, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--corpora", action="append", required=True)
    parser.add_argument("--setting", help="name of the corpora, for the names of the files")
    parser.add_argument("--after", help="explain only what was learned after this tokenizer's merges")
    parser.add_argument("--pretokenizer")
    parser.add_argument("--merges", type=int)
    parser.add_argument("--max-bytes", type=int)
    parser.add_argument("--bootstrap", type=int, default=0, metavar="N")
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    for tokenizer in arguments.tokenizers:
        found = fx.infer_mixture(
            tokenizer,
            arguments.corpora,
            baselines=True,
            after=arguments.after,
            pretokenizer=arguments.pretokenizer,
            merges=arguments.merges,
            max_bytes=arguments.max_bytes,
            bootstrap=arguments.bootstrap,
            cache=arguments.cache,
        )
        summary = {
            key: value for key, value in found.summary.items() if key not in ("seconds", "peak_rss_bytes")
        }
        summary["tokenizer"] = {key: summary["tokenizer"][key] for key in ("name", "format")}
        parts = [summary["tokenizer"]["name"]]
        parts += [f"after-{Path(arguments.after).stem}"] if arguments.after else []
        parts += [arguments.setting] if arguments.setting else []
        name = "-".join(parts)
        write_json(arguments.out / f"{name}.json", summary)
        png = draw_plots(found.results)["shares"].png
        write_atomically(arguments.out / f"{name}.png", lambda file, png=png: file.write(png))  # type: ignore[misc]
        print(_row(name, summary), flush=True)


def _row(name: str, summary: dict[str, Any]) -> str:
    """Return the tokenizer's row of the table."""
    largest = sorted(summary["proportions"].items(), key=lambda item: -item[1])[:4]
    short = [
        category.partition("/")[2] if category.startswith(("languages/", "code/")) else category
        for category, _ in largest
    ]
    cells = [
        f"[{name}]({name}.json)",
        ", ".join(f"{group} {share:.0%}" for group, share in summary["groups"].items()),
        ", ".join(f"{each} {share:.0%}" for each, (_, share) in zip(short, largest, strict=True)),
        f"{summary['merges_used']:,}",
        f"{summary['violation']['total']:.0%}",
        f"{summary['early_late_disagreement']:.0%}",
        "; ".join(summary["doubts"]) or "none",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
