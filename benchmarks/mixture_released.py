"""The mixtures of released tokenizers, as shown in results/mixtures/.

    python -m benchmarks.mixture_released results/mixtures --corpora demo TOKENIZER [TOKENIZER ...]

Writes one NAME.json (the contents of `mixture.json` without paths and times) and NAME.png (the shares) per
tokenizer, and prints the rows of the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import forensics as fx
from forensics.report.files import write_atomically, write_json
from forensics.report.mixture_plots import draw_mixture_plots


def main() -> None:
    """Infer, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--corpora", action="append", required=True)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    for tokenizer in arguments.tokenizers:
        found = fx.infer_mixture(tokenizer, arguments.corpora, baselines=True, cache=arguments.cache)
        summary = {
            key: value for key, value in found.summary.items() if key not in ("seconds", "peak_rss_bytes")
        }
        summary["tokenizer"] = {key: summary["tokenizer"][key] for key in ("name", "format")}
        name = summary["tokenizer"]["name"]
        write_json(arguments.out / f"{name}.json", summary)
        png = draw_mixture_plots(summary, found.merges)["shares"].png
        write_atomically(arguments.out / f"{name}.png", lambda file, png=png: file.write(png))  # type: ignore[misc]
        largest = sorted(summary["proportions"].items(), key=lambda item: -item[1])[:4]
        cells = [
            f"[{name}]({name}.json)",
            ", ".join(f"{group} {share:.0%}" for group, share in summary["groups"].items()),
            ", ".join(f"{category.partition('/')[2]} {share:.0%}" for category, share in largest),
            f"{summary['merges_used']:,}",
            f"{summary['violation']['total']:.0%}",
            f"{summary['early_late_disagreement']:.0%}",
            "; ".join(summary["doubts"]) or "none",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
