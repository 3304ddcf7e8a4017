"""How close the inferred mixture comes to a known one.

Tokenizers are trained with Hugging Face `tokenizers` on random mixtures (Dirichlet(1)) of real categories,
and inferred from other text of the same categories: other lines (`--split line`) or other documents
(`--split document`: the other half of a file in which documents stand in random order). Prints the mean and
standard deviation of log10 mean squared error over the trials, for the curve, the two baselines of the
source and the uniform guess; with --lp for the linear program too.

    python -m benchmarks.mixture_accuracy FOLDER --split line --sizes 5 10 0 --trials 5

The inference is what `forensics mixture` runs. FOLDER holds one NAME.txt.xz (or any other form that
`forensics mixture --corpora` takes) per category; a size of 0 stands for all categories.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from forensics.mixture.counts import count_merges
from forensics.mixture.document_counts import count_documents
from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.progress import Progress
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.sources.texts.corpora import Corpus, find_corpora, read_corpus
from forensics.vocabulary.merge_list import MergeList, build_merge_list
from forensics.vocabulary.splitting import Splitter

BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
#: Merges learned where the number used is left to the inference.
LEARNED = 10_000
GPT2_BY_LINE = Splitter(None, BYTE_LEVEL, True, True, "GPT-2's pattern", "gpt2 by line", True)


@dataclass(frozen=True, eq=False)
class Halves:
    """The two sides of a category."""

    training: list[str]
    counted: PretokenCounts
    #: The counted text by document.
    documents: list[str] = field(default_factory=list)


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
    counted = count_pretokens(corpus.name, ["".join(lines[half:stop])], GPT2_BY_LINE)
    return Halves(lines[:half], counted, documents_of(lines[half:stop], split))


def documents_of(lines: Sequence[str], split: str) -> list[str]:
    """Return what is dealt out: passages between blank lines, or single lines where they are in any order."""
    if split == "line":
        return list(lines)
    documents: list[str] = []
    for at, line in enumerate(lines):
        if at == 0 or (line.strip() and not lines[at - 1].strip()):
            documents.append("")
        documents[-1] += line
    return documents


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
    parser.add_argument(
        "--first-trial",
        type=int,
        default=0,
        help="number of the first; the method was chosen on trials from 1000 on, so report others",
    )
    parser.add_argument(
        "--merges", type=int, nargs="+", default=[3000], help="0: as many as the inference takes by itself"
    )
    parser.add_argument("--counted-bytes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--training-bytes", type=float, default=30e6)
    parser.add_argument("--lp", action="store_true")
    parser.add_argument(
        "--plain", action="store_true", help="weights that do not know how unlike the documents are"
    )
    parser.add_argument(
        "--regression",
        action="store_true",
        help="TEE with the source's regression: efficiency against a tokenizer of the category alone, and a "
        "log-log model fitted on the other trials",
    )
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
    megabytes, used = [], []
    efficiencies: list[np.ndarray] = []
    truths: list[np.ndarray] = []
    for trial in range(arguments.first_trial, arguments.first_trial + arguments.trials):
        generator = np.random.default_rng([trial, size])
        chosen = [corpora[at] for at in sorted(generator.choice(len(corpora), size, replace=False))]
        for corpus in chosen:
            if corpus.name not in kept:
                kept[corpus.name] = split_corpus(corpus, arguments.split, counted_bytes)
        halves = [kept[corpus.name] for corpus in chosen]
        merge_list, truth, text = train(
            halves, generator.dirichlet(np.ones(size)), merges or LEARNED, arguments.training_bytes
        )
        megabytes.append(text)
        progress = Progress()
        documents = None
        if not arguments.plain:
            by_name = {corpus.name: half.documents for corpus, half in zip(chosen, halves, strict=True)}
            documents = count_documents(by_name, GPT2_BY_LINE, merge_list)
        found = infer_proportions(
            [half.counted for half in halves],
            merge_list,
            InferencePlan(most_merges=merges or None, compare=arguments.lp, baselines=True, explain=0),
            progress=progress,
            documents=documents,
        )
        used.append(found.merges_used)
        guesses = {
            "curve": found.proportions,
            **found.baselines,
            "uniform": dict.fromkeys(found.proportions, 1 / size),
        }
        seconds["curve"].append(progress.seconds["fit"])
        if found.other_method is not None:
            guesses["lp"] = found.other_method
            seconds["lp"].append(progress.seconds["pair counts"] + progress.seconds["linear program"])
        if arguments.regression:
            efficiencies.append(_efficiencies(halves, merge_list, arguments.training_bytes))
            truths.append(truth)
            del guesses["tee"]
        for name, guess in guesses.items():
            error = np.array([guess[corpus.name] for corpus in chosen]) - truth
            errors[name].append(float(np.log10(np.mean(error**2))))
    for at in range(len(efficiencies)):
        error = _regression(efficiencies, truths, at) - truths[at]
        errors["tee"].append(float(np.log10(np.mean(error**2))))
    cells = [
        f"{np.mean(v):.2f} ({np.std(v):.2f})" if v else ""
        for v in (errors[k] for k in ("curve", "tee", "tc", "uniform", "lp"))
    ]
    times = [f"{np.mean(v):.1f}" if v else "" for v in seconds.values()]
    number = f"{merges:,}" if merges else f"default ({np.mean(used):,.0f})"
    row = [str(size), number, f"{counted_bytes / 1e6:g}", f"{np.mean(megabytes):.1f}", *cells, *times]
    print("| " + " | ".join(row) + " |", flush=True)


def _efficiencies(halves: Sequence[Halves], merges: MergeList, most: float) -> np.ndarray:
    """Return bytes per token on every category, as a share of what a tokenizer of it alone reaches."""
    own = [_bytes_per_token(half, _own_tokenizer(half, len(merges), most)) for half in halves]
    return np.array([_bytes_per_token(half, merges) for half in halves]) / own


@cache
def _own_tokenizer(half: Halves, merges: int, most: float) -> MergeList:
    return train([half], np.ones(1), merges, most)[0]


def _bytes_per_token(half: Halves, merges: MergeList) -> float:
    return half.counted.nbytes / count_merges(spell_words(half.counted.words, merges), merges).tokens


def _regression(efficiencies: list[np.ndarray], truths: list[np.ndarray], left_out: int) -> np.ndarray:
    """Return the shares that a line through log efficiency and log share of the other trials gives."""
    others = [at for at in range(len(truths)) if at != left_out]
    x = np.log(np.concatenate([efficiencies[at] for at in others]))
    y = np.log(np.maximum(np.concatenate([truths[at] for at in others]), 1e-6))
    slope, offset = np.polyfit(x, y, 1)
    shares = np.exp(slope * np.log(efficiencies[left_out]) + offset)
    return shares / shares.sum()


if __name__ == "__main__":
    main()
