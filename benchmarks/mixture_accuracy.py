"""How close the inferred mixture comes to a known one.

Tokenizers are trained with Hugging Face `tokenizers` on random mixtures (Dirichlet(1)) of real categories,
and inferred from other text of the same categories: other lines (`--split line`) or other documents
(`--split document`: the other half of a file in which documents stand in random order). Prints the mean and
standard deviation of log10 mean squared error over the trials, for the curve, the two baselines of the
source and the uniform guess; with --lp for the linear program too.

    python -m benchmarks.mixture_accuracy FOLDER --split line --sizes 5 10 0 --trials 5

FOLDER holds one NAME.txt.xz (or any other form that `forensics mixture --corpora` takes) per category; a
size of 0 stands for all categories.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from forensics.mixture.baselines import encoding_efficiency, token_classification
from forensics.mixture.counts import count_merges, pair_events
from forensics.mixture.curve import fit_curve
from forensics.mixture.evidence import gather_evidence
from forensics.mixture.linear_program import HighsMaster, solve_program
from forensics.mixture.merge_list import MergeList, build_merge_list
from forensics.mixture.pair_table import build_pair_table
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.mixture.spelling import spell_words
from forensics.mixture.splitting import Splitter
from forensics.runs.memory import peak_rss_bytes
from forensics.sources.corpora import Corpus, find_corpora, read_corpus

BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
GPT2_BY_LINE = Splitter(None, BYTE_LEVEL, True, True, "GPT-2's pattern", "gpt2 by line", True)


@dataclass(frozen=True)
class Halves:
    """The two sides of a category."""

    training: list[str]
    counted: PretokenCounts


def split_corpus(corpus: Corpus, split: str, counted_bytes: int) -> Halves:
    """Deal a category out to training and inference."""
    lines = "".join(read_corpus(corpus)).splitlines(keepends=True)
    if split == "line":
        order = np.random.default_rng(0).permutation(len(lines))
        lines = [lines[at] for at in order]
        half = len(lines) // 2
    else:
        ends = np.cumsum([len(line.encode()) for line in lines])
        half = int(np.searchsorted(ends, ends[-1] / 2))
        while half < len(lines) and lines[half].strip():  # documents end at a blank line
            half += 1
    sizes = np.cumsum([len(line.encode()) for line in lines[half:]])
    stop = half + int(np.searchsorted(sizes, counted_bytes)) + 1
    return Halves(lines[:half], count_pretokens(corpus.name, ["".join(lines[half:stop])], GPT2_BY_LINE))


def train(
    halves: Sequence[Halves], shares: np.ndarray, merges: int, most: float
) -> tuple[MergeList, np.ndarray, float]:
    """Train a tokenizer on a mixture; return its merges, the true shares, and the megabytes of text."""
    available = np.array([sum(len(line.encode()) for line in half.training) for half in halves])
    total = min(most, float((available / shares).min()))
    text, taken = [], np.zeros(len(halves))
    for at, half in enumerate(halves):
        for line in half.training:
            if taken[at] >= shares[at] * total:
                break
            text.append(line)
            taken[at] += len(line.encode())
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = BYTE_LEVEL
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(text, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    pairs = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in model["merges"]]
    return build_merge_list(pairs, list(model["vocab"])), taken / taken.sum(), taken.sum() / 1e6


def main() -> None:
    """Run the trials and print one line for each number of categories."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=["line", "document"], default="line")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 0])
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--merges", type=int, nargs="+", default=[3000])
    parser.add_argument("--counted-bytes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--training-bytes", type=float, default=30e6)
    parser.add_argument("--lp", action="store_true")
    arguments = parser.parse_args()
    corpora = find_corpora([arguments.folder])
    print(
        f"{arguments.folder.name}, split by {arguments.split}: mean (sd) of log10 MSE, "
        f"{arguments.trials} trials"
    )
    print("| n | merges | counted MB each | training MB | curve | TEE | TC | uniform | LP | fit s | LP s |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for counted_bytes in arguments.counted_bytes:
        kept: dict[str, Halves] = {}
        for size in arguments.sizes:
            for merges in arguments.merges:
                _trials(corpora, kept, size or len(corpora), merges, counted_bytes, arguments)
    print(f"peak memory {(peak_rss_bytes() or 0) / 2**20:,.0f} MiB")


def _trials(
    corpora: Sequence[Corpus],
    kept: dict[str, Halves],
    size: int,
    merges: int,
    counted_bytes: int,
    arguments: argparse.Namespace,
) -> None:
    errors: dict[str, list[float]] = {"curve": [], "tee": [], "tc": [], "uniform": [], "lp": []}
    seconds: dict[str, list[float]] = {"curve": [], "lp": []}
    megabytes = []
    for trial in range(arguments.trials):
        generator = np.random.default_rng([trial, size])
        chosen = [corpora[at] for at in sorted(generator.choice(len(corpora), size, replace=False))]
        for corpus in chosen:
            if corpus.name not in kept:
                kept[corpus.name] = split_corpus(corpus, arguments.split, counted_bytes)
        halves = [kept[corpus.name] for corpus in chosen]
        merge_list, truth, text = train(
            halves, generator.dirichlet(np.ones(size)), merges, arguments.training_bytes
        )
        megabytes.append(text)
        words = [spell_words(half.counted.words, merge_list) for half in halves]
        counts = [count_merges(spelt, merge_list) for spelt in words]
        nbytes = [half.counted.nbytes for half in halves]
        evidence = gather_evidence([c.name for c in chosen], counts, [s.pairs for s in words], nbytes)
        rows = np.flatnonzero(evidence.W.sum(axis=1) > 0)
        started = time.perf_counter()
        fit = fit_curve(evidence.W[rows], evidence.leftovers, steps=rows)
        seconds["curve"].append(time.perf_counter() - started)
        guesses = {
            "curve": fit.alpha,
            "tee": encoding_efficiency(counts, nbytes),
            "tc": token_classification(counts, nbytes),
            "uniform": np.full(size, 1 / size),
        }
        if arguments.lp:
            started = time.perf_counter()
            table = build_pair_table(
                [pair_events(s, merge_list) for s in words], evidence.sizes, len(merge_list)
            )
            master = HighsMaster(size, len(merge_list), len(table.keys))
            guesses["lp"] = solve_program(evidence.W, table, master, start=fit.alpha).alpha
            seconds["lp"].append(time.perf_counter() - started)
        for name, guess in guesses.items():
            errors[name].append(float(np.log10(np.mean((guess - truth) ** 2))))
    cells = [
        f"{np.mean(v):.2f} ({np.std(v):.2f})" if v else ""
        for v in (errors[k] for k in ("curve", "tee", "tc", "uniform", "lp"))
    ]
    times = [f"{np.mean(v):.1f}" if v else "" for v in seconds.values()]
    row = [str(size), f"{merges:,}", f"{counted_bytes / 1e6:g}", f"{np.mean(megabytes):.1f}", *cells, *times]
    print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
