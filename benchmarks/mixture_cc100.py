"""What `mixture` finds behind XLM-R's vocabulary, against what was published of its training text.

    forensics mixture xlm_roberta.gguf --corpora CORPORA/languages --max-bytes 300000 --out RUN
    python -m benchmarks.mixture_cc100 RUN

Conneau et al. 2020 (arXiv 1911.02116) give the size of CC-100 in every language (appendix A, table 6;
Swedish and Ukrainian as the authors later put them right) and the exponent of the sampling, 0.3 (section
3): the share of a language is in proportion to its size to that power.
What the vocabulary was trained on is not said in so many words; the sampling of the model is taken for it.
Languages that were not given cannot be found, so that shares are among those given.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

#: GiB of text by language. Norwegian and Serbian are not divided there as they are in the corpora used here.
SIZES = {
    "ar": 28.0, "as": 0.1, "be": 4.3, "bg": 57.5, "bn": 8.4, "bs": 0.1, "ca": 10.1, "cs": 16.3, "da": 45.6,
    "de": 66.6, "el": 46.9, "en": 300.8, "eo": 0.9, "es": 53.3, "et": 6.1, "eu": 2.0, "fa": 111.6, "fi": 54.3,
    "fr": 56.8, "gl": 2.9, "gu": 1.9, "he": 31.6, "hi": 20.2, "hr": 20.5, "hu": 58.4, "id": 148.3, "it": 30.2,
    "ja": 69.3, "ka": 9.1, "km": 1.5, "kn": 3.3, "ko": 54.2, "lt": 13.7, "lv": 8.8, "mk": 4.8, "ml": 7.6,
    "mr": 2.8, "ne": 3.8, "nl": 29.3, "no": 49.0, "pa": 0.8, "pl": 44.6, "pt": 49.1, "ro": 61.4, "ru": 278.0,
    "sk": 23.2, "sl": 10.3, "sr": 9.1, "sv": 85.0, "ta": 12.2, "te": 4.7, "th": 71.7, "tr": 20.9, "uk": 84.6,
    "vi": 137.3, "zh-cn": 46.9, "zh-tw": 16.6,
}  # fmt: skip
#: Categories that are one language in the table.
JOINED = {"nb": "no", "nn": "no", "pt-br": "pt", "sr-latn": "sr"}
EXPONENT = 0.3


def main() -> None:
    """Print the shares beside those expected, and how well they agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    found = shares_of(parser.parse_args().run)
    names = sorted((name for name in found if name in SIZES), key=lambda name: -SIZES[name])
    size = np.array([SIZES[name] for name in names])
    expected = size**EXPONENT / (size**EXPONENT).sum()
    share = np.array([found[name] for name in names])
    print(f"not in CC-100: {', '.join(f'{n} {found[n]:.2%}' for n in found if n not in SIZES) or 'none'}")
    share /= share.sum()
    print("| language | GiB | expected | found |\n|---|---:|---:|---:|")
    for row in zip(names, size, expected, share, strict=True):
        print("| {} | {:g} | {:.2%} | {:.2%} |".format(*row))
    known = share > 0
    slope = np.polyfit(np.log(size[known]), np.log(share[known]), 1)[0]
    print(f"\nSpearman of found and size: {spearmanr(share, size).statistic:.2f}")
    print(f"exponent of size in a line through the {known.sum()} shares above nought: {slope:.2f}")
    for name, guess in (("found", share), ("equal shares", np.full(len(size), 1 / len(size)))):
        off = 0.5 * np.abs(guess - expected).sum()
        print(f"{name}: {off:.1%} of the text elsewhere than expected, log10 MSE {_mse(guess, expected):.2f}")


def shares_of(run: Path) -> dict[str, float]:
    """Return language -> share of bytes, categories of one language joined."""
    found: dict[str, float] = {}
    summary = json.loads((run / "mixture.json").read_text(encoding="utf-8"))
    for category, share in summary["proportions"].items():
        name = JOINED.get(category, category)
        found[name] = found.get(name, 0.0) + share
    return found


def _mse(guess: np.ndarray, expected: np.ndarray) -> float:
    return float(np.log10(np.mean(np.square(guess - expected))))


if __name__ == "__main__":
    main()
