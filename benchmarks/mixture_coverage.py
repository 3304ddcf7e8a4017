"""How often the bootstrap's nominal 95 % intervals hold the truth.

Tokenizers are trained on random mixtures of categories and inferred from other lines of the same files,
as in `mixture_accuracy`; every share's interval is compared with the share the tokenizer was trained with.

    python -m benchmarks.mixture_coverage FOLDER --size 5 --trials 12 --repeats 12
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.mixture_accuracy import GPT2_BY_LINE, Halves, train
from forensics.mixture.bootstrap import bootstrap_intervals
from forensics.mixture.infer import estimate_shares
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pretokens import count_pretokens
from forensics.sources.texts.corpora import find_corpora, read_corpus


def main() -> None:
    """Print the share of intervals that hold the truth, and their mean width."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=["line", "document"], default="line")
    parser.add_argument("--size", type=int, default=5)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--merges", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=300_000, help="text of each category on either side")
    arguments = parser.parse_args()
    corpora = find_corpora([arguments.folder])
    held, widths, scaled, started = [], [], [], time.perf_counter()
    for trial in range(arguments.trials):
        generator = np.random.default_rng([7, trial])
        chosen = [corpora[at] for at in sorted(generator.choice(len(corpora), arguments.size, replace=False))]
        halves, texts = [], {}
        for corpus in chosen:
            lines = "".join(read_corpus(corpus, 2 * arguments.bytes)).splitlines(keepends=True)
            if arguments.split == "line":
                lines = [lines[at] for at in generator.permutation(len(lines))]
            texts[corpus.name] = "".join(lines[len(lines) // 2 :])
            counted = count_pretokens(corpus.name, [texts[corpus.name]], GPT2_BY_LINE)
            halves.append(Halves(lines[: len(lines) // 2], counted))
        shares = generator.dirichlet(np.ones(arguments.size))
        merges, truth, _ = train(halves, shares, arguments.merges, 30e6)
        words = [spell_words(half.counted.words, merges) for half in halves]
        found = estimate_shares([half.counted for half in halves], words, merges)
        proportions = dict(zip(texts, found.tolist(), strict=True))
        intervals = bootstrap_intervals(
            texts, proportions, GPT2_BY_LINE, merges=arguments.merges, repeats=arguments.repeats, seed=trial
        )
        for name, true in zip(texts, truth.tolist(), strict=True):
            held.append(intervals[name].low <= true <= intervals[name].high)
            widths.append(intervals[name].high - intervals[name].low)
            scaled.append(abs(proportions[name] - true) / intervals[name].sd)
    print(
        f"{arguments.folder.name}, split by {arguments.split}, n = {arguments.size}, {arguments.trials} "
        f"trials, {arguments.repeats} simulations each: {np.mean(held):.1%} of {len(held)} intervals hold "
        f"the truth, mean width {100 * np.mean(widths):.2f} points; "
        f"|error| / sd at 95 %: {np.quantile(scaled, 0.95):.2f}; "
        f"{time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
