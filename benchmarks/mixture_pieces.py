"""How close the mixture inferred from a Unigram or WordPiece vocabulary comes to a known one.

Tokenizers are trained on random mixtures (Dirichlet(1)) of real categories, as in `mixture_accuracy`:
Unigram with `sentencepiece`, WordPiece with Hugging Face `tokenizers` (in the order of merges), and the
latter's vocabulary put into the order of frequency, as BERT's stands. They are inferred from other lines or
other documents of the same files. Prints mean and standard deviation of log10 mean squared error, beside
the uniform guess and the two baselines, and with --bootstrap how many of the nominal 95 % intervals
held the truth, with their mean width in points.

    python -m benchmarks.mixture_pieces FOLDER --split line --sizes 5 10 --trials 4 [--bootstrap 12]

FOLDER holds one NAME.txt.xz (or any other form that `forensics mixture --corpora` takes) per category.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from benchmarks.mixture_accuracy import documents_of
from benchmarks.mixture_coverage import given_and_training
from forensics.errors import BadInputError
from forensics.mixture.bootstrap import (
    Interval,
    Intervals,
    bootstrap_intervals,
    merge_simulator,
    piece_simulator,
)
from forensics.mixture.document_counts import Piles, count_documents
from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.piece_counts import LongestMatchCounter
from forensics.mixture.piece_lists import respelt_words
from forensics.mixture.piece_simulation import count_pieces
from forensics.mixture.pretokens import count_pretokens
from forensics.mixture.result import Mixture
from forensics.progress import Progress
from forensics.runs.mixture.learned import LearnedMerges, LearnedPieces
from forensics.runs.mixture.reading import read_tokenizer
from forensics.sources import open_tokenizer
from forensics.sources.texts.corpora import find_corpora

SPLITS = ("line", "document")


def unigram(lines: Sequence[str], size: int, folder: Path) -> Path:
    """Train a SentencePiece Unigram model; return its file."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line.rstrip("\n") for line in lines if line.strip()]),
        model_writer=model,
        vocab_size=size,
        model_type="unigram",
        byte_fallback=True,
        num_threads=1,
        max_sentence_length=100_000,
        minloglevel=2,
    )
    file = folder / "unigram.model"
    file.write_bytes(model.getvalue())
    return file


def wordpiece(lines: Sequence[str], size: int, folder: Path) -> Path:
    """Train a WordPiece tokenizer, whose vocabulary stands in the order of merges; return its file."""
    tokenizer = _bare(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    file = folder / "merged.json"
    tokenizer.save(str(file))
    return file


def by_frequency(lines: Sequence[str], size: int, folder: Path) -> Path:
    """Put a WordPiece vocabulary into the order of frequency in the training text; return its file."""
    merged = Tokenizer.from_file(str(wordpiece(lines, size, folder)))
    pieces = [piece for piece in merged.get_vocab() if piece != "[UNK]"]
    words: dict[str, int] = {}
    for line in lines:
        for word, _ in merged.pre_tokenizer.pre_tokenize_str(merged.normalizer.normalize_str(line)):
            words[word] = words.get(word, 0) + 1
    counts = LongestMatchCounter(pieces).count(words).pieces
    order = [pieces[at] for at in np.argsort(-counts, kind="stable")]
    ids = {piece: number for number, piece in enumerate(["[UNK]", *order])}
    tokenizer = _bare(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[UNK]"])
    file = folder / "sorted.json"
    tokenizer.save(str(file))
    return file


def _bare(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


KINDS: Mapping[str, Callable[[Sequence[str], int, Path], Path]] = {
    "unigram": unigram,
    "wordpiece, merges": wordpiece,
    "wordpiece, frequency": by_frequency,
}


def main() -> None:
    """Run the trials and print one line for each kind and number of categories."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="line")
    parser.add_argument("--kind", choices=list(KINDS), action="append")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--first-trial", type=int, default=0)
    parser.add_argument("--pieces", type=int, default=3000)
    parser.add_argument("--bytes", type=int, default=1_000_000, help="text given of each category")
    parser.add_argument("--training-bytes", type=float, default=3e6, help="training text of all categories")
    parser.add_argument("--bootstrap", type=int, default=0, metavar="N", help="simulated tokenizers")
    arguments = parser.parse_args()
    print(f"{arguments.folder.name}, split by {arguments.split}: mean (sd) of log10 MSE")
    heads = (
        "kind",
        "n",
        "trials",
        "pieces used",
        "estimate",
        "TEE",
        "TC",
        "uniform",
        "held",
        "width",
        "seconds",
    )
    print(f"| {' | '.join(heads)} |")
    print("|---|" + "---:|" * (len(heads) - 1))
    for kind in arguments.kind or KINDS:
        for size in arguments.sizes:
            print(_row(kind, size, arguments), flush=True)


def _row(kind: str, size: int, arguments: argparse.Namespace) -> str:
    errors: dict[str, list[float]] = {}
    used, held, widths, started = [], list[bool](), list[float](), time.perf_counter()
    for trial in range(arguments.first_trial, arguments.first_trial + arguments.trials):
        try:
            with tempfile.TemporaryDirectory() as folder:
                merges, guesses, truth, ends = _trial(kind, size, trial, arguments, Path(folder))
        except BadInputError as refused:
            print(f"trial {trial} refused: {refused.found}", file=sys.stderr)
            continue
        used.append(merges)
        held += [end.low <= true <= end.high for end, true in ends]
        widths += [100 * (end.high - end.low) for end, _ in ends]
        for name, guess in guesses.items():
            errors.setdefault(name, []).append(float(np.log10(np.mean((guess - truth) ** 2))))
    cells = [f"{np.mean(each):.2f} ({np.std(each):.2f})" for each in errors.values()]
    cells += [f"{np.mean(held):.1%} of {len(held)}", f"{np.mean(widths):.1f}"] if held else ["", ""]
    seconds = (time.perf_counter() - started) / arguments.trials
    row = [kind, str(size), str(len(used)), f"{np.mean(used):,.0f}", *cells, f"{seconds:.0f}"]
    return "| " + " | ".join(row) + " |"


def _trial(
    kind: str, size: int, number: int, arguments: argparse.Namespace, folder: Path
) -> tuple[int, dict[str, np.ndarray], np.ndarray, list[tuple[Interval, float]]]:
    """Train and infer once: how many pieces were used, the guesses, the truth, and intervals with theirs."""
    generator = np.random.default_rng([number, size])
    names = sorted(corpus.name for corpus in find_corpora([arguments.folder]))
    chosen = [names[at] for at in sorted(generator.choice(len(names), size, replace=False))]
    sides = {
        name: given_and_training(arguments.folder, name, arguments.split, arguments.bytes) for name in chosen
    }
    shares = generator.dirichlet(np.ones(size))
    lines, truth = _mixed([training for training, _ in sides.values()], shares, arguments.training_bytes)
    source = open_tokenizer(KINDS[kind](lines, arguments.pieces, folder))
    learned = read_tokenizer(source, None)
    counted = [
        count_pretokens(name, ["".join(given)], learned.splitter) for name, (_, given) in sides.items()
    ]
    if isinstance(learned, LearnedMerges):
        plan = InferencePlan(baselines=True, explain=0)
        found = infer_proportions([respelt_words(each) for each in counted], learned.merges, plan)
    else:
        found = learned.infer(counted, None, True, Progress())
    ends = []
    if arguments.bootstrap:
        texts = {name: documents_of(given, arguments.split) for name, (_, given) in sides.items()}
        intervals = _intervals(texts, learned, found, arguments.bootstrap, number)
        shares_of = zip(chosen, truth.tolist(), strict=True)
        ends = [(intervals.ends[name], true) for name, true in shares_of if name not in intervals.refused]
    guesses = {"estimate": found.proportions, **found.baselines, "uniform": dict.fromkeys(chosen, 1 / size)}
    return (
        found.merges_used,
        {name: np.array([guess[each] for each in chosen]) for name, guess in guesses.items()},
        truth,
        ends,
    )


def _intervals(
    texts: Mapping[str, Sequence[str]],
    learned: LearnedMerges | LearnedPieces,
    found: Mixture,
    repeats: int,
    seed: int,
) -> Intervals:
    """Return the intervals of the shares, as `mixture --bootstrap` makes them."""
    piles: Piles
    if isinstance(learned, LearnedMerges):
        piles = counts = count_documents(texts, learned.splitter, learned.merges, respelt_words)
        simulator = merge_simulator(counts, learned.merges, found.merges_used)
    else:
        piles = pieces = count_pieces(texts, learned.splitter, learned.pieces)
        simulator = piece_simulator(pieces, learned.pieces, found.merges_used)
    return bootstrap_intervals(piles, found.proportions, found.misfit, simulator, repeats=repeats, seed=seed)


def _mixed(
    training: Sequence[Sequence[str]], shares: np.ndarray, most: float
) -> tuple[list[str], np.ndarray]:
    """Return lines of all categories in these shares as nearly as whole lines allow, and the true ones."""
    available = np.array([sum(len(line.encode()) for line in lines) for lines in training])
    total = min(most, float((available / shares).min()))
    text, taken = [], np.zeros(len(training))
    for at, lines in enumerate(training):
        for line in lines:
            if taken[at] >= shares[at] * total:
                break
            text.append(line)
            taken[at] += len(line.encode())
    return text, taken / taken.sum()


if __name__ == "__main__":
    main()
