"""Intervals by parametric bootstrap: tokenizers are trained on simulated mixtures and inferred again.

Drawing the counted text anew is not enough, since the text that the tokenizer was trained on is a sample
too: such intervals held the truth in 61 % of cases at a nominal 95 % in a trial. Here every repeat deals
the text of each category out to two sides, in blocks of consecutive lines; one side is mixed in the
estimated proportions and a tokenizer is trained on it, the other side is what the inference is given. The
spread of the estimates around the proportions they were made with is the error of the method. What it
cannot know is how unlike the real training text is to the given text; coverage is measured in
benchmarks/mixture_coverage.py for text of the same sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.mixture.infer import estimate_shares
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pretokens import count_pretokens
from forensics.vocabulary.merge_list import build_merge_list
from forensics.vocabulary.splitting import Splitter

__all__ = ["Interval", "bootstrap_intervals", "simulate"]

FloatArray = npt.NDArray[np.float64]

#: Lines dealt out together: neighbours come from one document.
BLOCK_LINES = 50
#: Two-sided 95 % of the normal distribution.
Z = 1.96
#: Text that a simulated training mixture holds at most, bytes.
MOST_TRAINING = 8_000_000


@dataclass(frozen=True)
class Interval:
    """A nominal 95 % interval of a share."""

    #: Lower end, at least 0.
    low: float
    #: Upper end, at most 1.
    high: float
    #: Standard deviation of the simulated estimates around the share they were made with.
    sd: float


def bootstrap_intervals(
    texts: Mapping[str, str],
    proportions: Mapping[str, float],
    splitter: Splitter,
    *,
    merges: int,
    repeats: int,
    seed: int = 0,
    jobs: int = 1,
    on_repeat: Callable[[], None] | None = None,
) -> dict[str, Interval]:
    """Return a nominal 95 % interval for every share.

    :param texts: The text of every category.
    :param proportions: The estimated shares, of the same categories.
    :param splitter: How the tokenizer cuts text.
    :param merges: Merges that simulated tokenizers learn.
    :param repeats: How many are trained; 20 give an interval whose own width is uncertain by 16 %.
    :param seed: Seed of the generator.
    :param jobs: Processes.
    :param on_repeat: Called after each repeat.
    """
    from joblib import Parallel, delayed

    names = list(proportions)
    share = np.array([proportions[name] for name in names])
    seeds = np.random.SeedSequence(seed).spawn(repeats)
    work = delayed(simulate)
    tasks = [work([texts[name] for name in names], share, splitter, merges, each) for each in seeds]
    errors = []
    for made_with, found in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        errors.append(found - made_with)
        if on_repeat is not None:
            on_repeat()
    # Around zero, so that a bias counts as error; a floor for shares that were nought in every repeat.
    sd = np.sqrt(np.mean(np.square(errors), axis=0))
    return {
        name: Interval(max(0.0, value - Z * width), min(1.0, value + Z * width), width)
        for name, value, width in zip(names, share.tolist(), sd.tolist(), strict=True)
    }


def simulate(
    texts: list[str], share: FloatArray, splitter: Splitter, merges: int, seed: Any
) -> tuple[FloatArray, FloatArray]:
    """Return the shares a tokenizer was trained with, and those inferred from its merges.

    :param texts: The text of every category.
    :param share: The shares to train with, shape (n,).
    :param splitter: How text is cut.
    :param merges: Merges to learn.
    :param seed: Seed of this repeat.
    """
    generator = np.random.default_rng(seed)
    sides = [_dealt(text, generator) for text in texts]
    sizes = np.array([len(training.encode("utf-8", "surrogatepass")) for training, _ in sides])
    total = min(float(MOST_TRAINING), *(sizes[share > 1e-3] / share[share > 1e-3]).tolist())
    parts = [
        training.encode("utf-8", "surrogatepass")[: int(total * part)].decode("utf-8", "ignore")
        for (training, _), part in zip(sides, share.tolist(), strict=True)
    ]
    made_with = np.array([len(part.encode("utf-8", "surrogatepass")) for part in parts], dtype=np.float64)
    learned, pieces = _trained(parts, splitter, merges)
    merge_list = build_merge_list(learned, pieces)
    categories = [
        count_pretokens(str(number), [counted], splitter) for number, (_, counted) in enumerate(sides)
    ]
    words = [spell_words(category.words, merge_list) for category in categories]
    return made_with / made_with.sum(), estimate_shares(categories, words, merge_list)


def _dealt(text: str, generator: np.random.Generator) -> tuple[str, str]:
    """Return the blocks of a text, dealt out in random order to two sides of equal size."""
    lines = text.splitlines(keepends=True)
    length = max(1, min(BLOCK_LINES, len(lines) // 20))
    blocks = ["".join(lines[at : at + length]) for at in range(0, len(lines), length)]
    order = generator.permutation(len(blocks))
    half = max(1, len(blocks) // 2)
    return "".join(blocks[at] for at in order[:half]), "".join(blocks[at] for at in order[half:])


def _trained(parts: list[str], splitter: Splitter, merges: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Return merges and vocabulary of a tokenizer trained on the texts as the real one was."""
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    if splitter.normalizer is not None:
        tokenizer.normalizer = splitter.normalizer
    tokenizer.pre_tokenizer = splitter.pre_tokenizer
    units = (unit for part in parts for unit in splitter.units(part))
    alphabet = (
        sorted({c for part in parts for c in part}) if "ByteLevel" not in splitter.fingerprint else None
    )
    if alphabet is None:
        from tokenizers import pre_tokenizers

        alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(units, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    learned = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in model["merges"]]
    return [(pair[0], pair[1]) for pair in learned], list(model["vocab"])
