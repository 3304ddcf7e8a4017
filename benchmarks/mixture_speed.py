"""Time of counting against training, and of the inference with many categories.

    python -m benchmarks.mixture_speed FOLDER --threads 1

Counting a category (cut into pre-tokens, apply 10,000 merges) is compared with training a tokenizer of
10,000 merges on the same text with Hugging Face `tokenizers`, in the same run. The inference is timed with
`--categories` categories and `--merges` merges by the curve, and with --lp by the linear program; its gap
is how far at most, as a share, the total slack can be from the optimum.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2, help="of the training; the counting has one")
    parser.add_argument("--categories", type=int, default=30)
    parser.add_argument("--merges", type=int, default=10_000)
    parser.add_argument("--text-bytes", type=int, default=4_000_000)
    parser.add_argument("--lp", action="store_true")
    arguments = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)

    import numpy as np

    from benchmarks.mixture_accuracy import GPT2_BY_LINE, Halves, train
    from forensics.mixture.counts import count_merges, pair_events
    from forensics.mixture.curve import fit_curve
    from forensics.mixture.linear_program import HighsMaster, solve_program
    from forensics.mixture.pair_evidence import gather_evidence
    from forensics.mixture.pair_spelling import spell_words
    from forensics.mixture.pair_table import build_pair_table
    from forensics.mixture.pretokens import count_pretokens
    from forensics.runs.frame.peak_memory import peak_rss_bytes
    from forensics.sources.texts.corpora import find_corpora, read_corpus

    corpora = find_corpora([arguments.folder])
    largest = next(each for each in corpora if each.name in ("de", "python")) if corpora else corpora[0]
    text = "".join(read_corpus(largest, arguments.text_bytes))
    lines = text.splitlines(keepends=True)
    for attempt in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        merges, _, _ = train([Halves(lines, None)], np.ones(1), arguments.merges, 1e12)  # type: ignore[arg-type]
        training = (time.perf_counter() - wall, time.process_time() - cpu)
        wall, cpu = time.perf_counter(), time.process_time()
        counted = count_pretokens(largest.name, [text], GPT2_BY_LINE)
        count_merges(spell_words(counted.words, merges), merges)
        counting = (time.perf_counter() - wall, time.process_time() - cpu)
        if attempt:  # the first round also compiles
            print(
                f"{len(text) / 1e6:.1f} MB: training {training[0]:.2f} s ({arguments.threads} threads, "
                f"{training[1]:.2f} CPU-s), counting {counting[0]:.2f} s (1 thread, "
                f"{counting[1]:.2f} CPU-s), {training[0] / counting[0]:.1f} times faster, "
                f"{training[1] / counting[1]:.1f} in CPU time"
            )
    chosen = corpora[: arguments.categories]
    halves = []
    for corpus in chosen:
        lines = "".join(read_corpus(corpus, 2_000_000)).splitlines(keepends=True)
        halves.append(Halves(lines[::2], count_pretokens(corpus.name, ["".join(lines[1::2])], GPT2_BY_LINE)))
    shares = np.random.default_rng(0).dirichlet(np.ones(len(chosen)))
    merges, truth, _ = train(halves, shares, arguments.merges, 30e6)
    words = [spell_words(half.counted.words, merges) for half in halves]
    started = time.perf_counter()
    counts = [count_merges(spelt, merges) for spelt in words]
    evidence = gather_evidence(
        [c.name for c in chosen], counts, [s.pairs for s in words], [h.counted.nbytes for h in halves]
    )
    rows = np.flatnonzero(evidence.W.sum(axis=1) > 0)
    gathered = time.perf_counter() - started
    started, cpu = time.perf_counter(), time.process_time()
    fit = fit_curve(evidence.W[rows], evidence.leftovers, steps=rows)
    print(
        f"{len(chosen)} categories, {len(merges):,} merges: counts {gathered:.1f} s, curve "
        f"{time.perf_counter() - started:.1f} s ({time.process_time() - cpu:.1f} CPU-s), "
        f"log10 MSE {np.log10(np.mean((fit.alpha - truth) ** 2)):.2f}"
    )
    if arguments.lp:
        before = (peak_rss_bytes() or 0) / 2**20
        started = time.perf_counter()
        table = build_pair_table([pair_events(s, merges) for s in words], evidence.sizes, len(merges))
        tabled = time.perf_counter() - started
        started, cpu = time.perf_counter(), time.process_time()
        found = solve_program(evidence.W, table, HighsMaster(), start=fit.alpha)
        print(
            f"linear program {time.perf_counter() - started:.1f} s ({time.process_time() - cpu:.1f} CPU-s) "
            f"after {tabled:.1f} s for the table of {len(table.start):,} counts of {len(table.keys):,} "
            f"pairs; {found.stretches:,} of them in the program after {found.rounds} rounds, "
            f"gap {found.gap:.1g}, log10 MSE {np.log10(np.mean((found.alpha - truth) ** 2)):.2f}; "
            f"peak memory before {before:,.0f} MiB"
        )
    print(f"peak memory {(peak_rss_bytes() or 0) / 2**20:,.0f} MiB; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
