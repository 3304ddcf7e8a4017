"""How often the nominal 95 % intervals of `mixture --bootstrap` hold the truth.

Tokenizers are trained with Hugging Face `tokenizers` on random mixtures (Dirichlet(1)) of real categories
and inferred from other text of the same files: other lines, or other documents (the other half of a file in
which documents stand in random order). Every share's interval is compared with the share of the training
text. Four settings are measured: languages by line and by document, source code and domains of English by
document.

    python -m benchmarks.mixture_coverage CORPORA --kept coverage.jsonl --trials 60

CORPORA holds the folders `languages`, `code` and `domains`, each with one NAME.txt.xz per category. Every
trial is written to the file given by --kept with all its simulations, and not run again if it is there: the
work can be done in parts, and the table is of everything kept. Constants of `mixture.bootstrap` should be
chosen on trials from 1000 on, and others reported.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

import numpy as np

from benchmarks.mixture_accuracy import GPT2_BY_LINE, Halves, documents_of, train
from forensics.mixture.bootstrap import intervals_of, merge_simulator, simulated
from forensics.mixture.document_counts import Piles, count_documents
from forensics.mixture.infer import fit_merges
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.mixture.simulation import Simulation
from forensics.sources.texts.corpora import find_corpora, read_corpus

SETTINGS = {
    "languages by line": ("languages", "line"),
    "languages by document": ("languages", "document"),
    "code by document": ("code", "document"),
    "domains by document": ("domains", "document"),
}
#: The range in which the share of intervals that hold must lie.
BAR = (0.90, 0.99)


class Trial(TypedDict):
    """One mixture: what was true, found and simulated."""

    setting: str
    trial: int
    given_bytes: int
    merges: int
    names: list[str]
    truth: list[float]
    found: list[float]
    documents: list[float]
    piles: list[list[float]]
    misfit: float
    simulations: list[tuple[list[float], list[float], float]]
    seconds: float


def main() -> None:
    """Run the trials that are missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--setting", choices=list(SETTINGS), action="append")
    parser.add_argument("--size", type=int, default=5)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--first-trial", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--merges", type=int, default=600)
    parser.add_argument("--bytes", type=int, default=300_000, help="text given of each category")
    parser.add_argument("--training-bytes", type=float, default=3e6, help="training text of all categories")
    arguments = parser.parse_args()
    kept = _read(arguments.kept)
    done = {(each["setting"], each["trial"]) for each in kept}
    numbers = range(arguments.first_trial, arguments.first_trial + arguments.trials)
    for number in numbers:
        for setting in arguments.setting or SETTINGS:
            if (setting, number) not in done:
                kept.append(_trial(setting, number, arguments))
                with arguments.kept.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(kept[-1]) + "\n")
    print("| setting | n | intervals | hold the truth | mean width, points | median width | refused | bar |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for setting in SETTINGS:
        chosen = [each for each in kept if each["setting"] == setting and each["trial"] in numbers]
        if chosen:
            print(_row(setting, chosen))


def _read(file: Path) -> list[Trial]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@cache
def given_and_training(
    folder: Path, name: str, split: str, given: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines for training and those given."""
    corpus = next(each for each in find_corpora([folder]) if each.name == name)
    lines = "".join(read_corpus(corpus)).splitlines(keepends=True)
    if split == "line":
        lines = [lines[at] for at in np.random.default_rng(0).permutation(len(lines))]
    ends = np.cumsum([len(line.encode()) for line in lines])
    half = int(np.searchsorted(ends, ends[-1] / 2))
    while split == "document" and half < len(lines) and lines[half].strip():
        half += 1
    stop = int(np.searchsorted(ends, ends[half] + given)) + 1
    return tuple(lines[:half]), tuple(lines[half:stop])


def _trial(setting: str, number: int, arguments: argparse.Namespace) -> Trial:
    """Train, infer and simulate once."""
    started = time.perf_counter()
    group, split = SETTINGS[setting]
    folder = arguments.corpora / group
    generator = np.random.default_rng([7, number])
    names = sorted(corpus.name for corpus in find_corpora([folder]))
    chosen = [names[at] for at in sorted(generator.choice(len(names), arguments.size, replace=False))]
    sides = {name: given_and_training(folder, name, split, arguments.bytes) for name in chosen}
    shares = generator.dirichlet(np.ones(arguments.size))
    nothing = PretokenCounts("", {}, 0)
    merges, truth, _ = train(
        [Halves(list(training), nothing) for training, _ in sides.values()],
        shares,
        arguments.merges,
        arguments.training_bytes,
    )
    texts = {name: documents_of(given, split) for name, (_, given) in sides.items()}
    counted = [count_pretokens(name, ["".join(given)], GPT2_BY_LINE) for name, (_, given) in sides.items()]
    words = [spell_words(each.words, merges) for each in counted]
    counts = count_documents(texts, GPT2_BY_LINE, merges)
    fit = fit_merges(counted, words, merges, documents=counts)
    simulator = merge_simulator(counts, merges, len(merges))
    made = simulated(simulator, fit.alpha, repeats=arguments.repeats, seed=number)
    return Trial(
        setting=setting,
        trial=number,
        given_bytes=arguments.bytes,
        merges=len(merges),
        names=chosen,
        truth=truth.tolist(),
        found=fit.alpha.tolist(),
        documents=counts.documents.tolist(),
        piles=[counts.nbytes[counts.category == at].tolist() for at in range(len(chosen))],
        misfit=fit.misfit,
        simulations=[(each.made_with.tolist(), each.found.tolist(), each.misfit) for each in made],
        seconds=time.perf_counter() - started,
    )


def _row(setting: str, trials: Sequence[Trial]) -> str:
    held, widths, refused = [], [], 0
    for trial in trials:
        category = np.repeat(np.arange(len(trial["piles"])), [len(each) for each in trial["piles"]])
        made = [
            Simulation(np.array(truth), np.array(found), misfit)
            for truth, found, misfit in trial["simulations"]
        ]
        found = intervals_of(_piles(trial, category), np.array(trial["found"]), trial["misfit"], made)
        for name, true in zip(trial["names"], trial["truth"], strict=True):
            if name in found.refused:
                refused += 1
                continue
            each = found.ends[name]
            held.append(each.low <= true <= each.high)
            widths.append(100 * (each.high - each.low))
    share = float(np.mean(held))
    met = "met" if BAR[0] <= share <= BAR[1] else "missed"
    met += "" if len(held) >= 300 else " (fewer than 300)"
    return (
        f"| {setting} | {len(trials[0]['names'])} | {len(held)} | {share:.1%} | {np.mean(widths):.1f} | "
        f"{np.median(widths):.1f} | {refused} | {met} |"
    )


def _piles(trial: Trial, category: np.ndarray) -> Piles:
    """Return what of the documents intervals are made of."""
    nbytes, documents = np.concatenate(trial["piles"]), np.array(trial["documents"])
    return Piles(tuple(trial["names"]), category, nbytes, documents)


if __name__ == "__main__":
    main()
