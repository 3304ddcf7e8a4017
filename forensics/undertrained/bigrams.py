"""Can a model say improbable pairs? A copying task with two controls and an exact test.

After arXiv 2410.23684: the model is to copy a phrase made of two tokens that share one character
(`forensics.vocabulary.improbable_pairs`). That such pairs fail says little by itself: on Qwen2.5-Coder-0.5B
16 of them failed in .44 of cases and pairs of complete tokens of rare scripts in .38. So every phrase is
copied twice, as its two tokens and character by character, and the same is done with control pairs of
complete tokens: what counts is how much more the tokens cost the improbable pairs than the controls (a
difference of differences). The test is exact: which phrases are improbable is permuted over all phrases, so
no token should be in two of them.

As in the paper, tokens whose rows are suspicious by themselves are left out (`well_trained`): a pair of an
untrained token fails whatever it shares. Refused where the model cannot copy the controls' characters
either, which is tried first: on SmolLM2-135M they fail in .60.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.progress import Progress, Stage
from forensics.sources.interface import TokenizerSource
from forensics.undertrained.prompt_run import PromptRunner
from forensics.undertrained.prompts import Prompt, encode_segments, leading_special_ids

__all__ = [
    "BigramFindings", "Copier", "Copies", "Phrase", "Way", "build_copy_prompt", "copy_pairs", "permutation_p",
    "well_trained",
]  # fmt: skip

#: Words of four scripts that the task is shown with.
_SHOTS = ("hello", "Straße", "中文字", "привет")
#: Share of controls, copied character by character, above which the model cannot do the task.
REFUSED_ABOVE = 0.3
#: Copies that are timed before the cost of the rest is told.
_TIMED = 4


class Way(StrEnum):
    """How a phrase is shown to the model."""

    AS_PAIR = "as its two tokens"
    BY_CHARACTERS = "character by character"


@dataclass(frozen=True)
class Phrase:
    """One phrase and the two ways in which it is shown to the model."""

    text: str
    #: Its two tokens.
    as_pair: tuple[int, ...]
    #: The same text, every character by its own token or else its bytes.
    by_characters: tuple[int, ...]

    def shown(self, way: Way) -> tuple[int, ...]:
        """Return the ids that are put into the prompt."""
        return self.as_pair if way is Way.AS_PAIR else self.by_characters


#: Tells whether the model copies a phrase that it is shown in one of the two ways.
Copies = Callable[[Phrase, Way], bool]


def well_trained(values: npt.NDArray[np.floating], eligible: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark the rows that are in the less suspicious half by the indicator, shape (V,).

    Parts of characters cannot be candidates, so the half is that of the tokens that can.

    :param values: The indicator of every row, low means suspicious, shape (V,).
    :param eligible: Tokens that may be candidates, shape (V,).
    """
    known = values[eligible & np.isfinite(values)]
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    # A comparison with NaN is false: a row without a value is not known to be well trained.
    calm: npt.NDArray[np.bool_] = values >= np.median(known)
    return calm


def build_copy_prompt(source: TokenizerSource) -> Prompt:
    """Return the copying task in the ids of `source`, its only slot standing for the whole phrase.

    :param source: The tokenizer of the model under test.
    """
    examples = "".join(f"Text: «{word}»\nCopy: «{word}»\n" for word in _SHOTS)
    ids = encode_segments(source, [f"{examples}Text: «", "»\nCopy: «"])
    return Prompt("copy", (*leading_special_ids(source), *ids))


@dataclass(frozen=True)
class BigramFindings:
    """How often phrases could not be copied; a share that was not tried is NaN."""

    #: Improbable pairs and control pairs that were tried.
    pairs: int
    controls: int
    #: Share that failed as two tokens, and character by character.
    pairs_fail: float
    pairs_fail_by_characters: float
    controls_fail: float
    controls_fail_by_characters: float
    #: How much more the tokens cost the improbable pairs than the controls, in shares.
    difference: float
    #: One-sided probability of as large a difference if it made none which phrases are improbable.
    p: float
    #: Why nothing follows from the numbers, or None.
    refused: str | None
    #: Improbable pairs that failed as tokens and not by characters.
    failed: tuple[str, ...]


def copy_pairs(
    copies: Copies, pairs: Sequence[Phrase], controls: Sequence[Phrase], progress: Progress | None = None
) -> BigramFindings:
    """Return how often the model fails to copy improbable pairs and controls.

    :param copies: Puts a phrase to the model, see `Copier`.
    :param pairs: Improbable pairs.
    :param controls: Pairs of complete tokens.
    :param progress: Where to report; the cost is told after the first copies.
    """
    progress = progress or Progress()
    total = 2 * (len(pairs) + len(controls))
    with progress.stage("improbable pairs", total, "copies") as stage:
        task = _Task(copies, stage, progress)
        controls_by_characters = task.fails(controls, Way.BY_CHARACTERS)
        refused = _refusal(pairs, controls, controls_by_characters)
        if refused is not None:
            return _only_controls(pairs, controls, controls_by_characters, refused)
        controls_fail = task.fails(controls, Way.AS_PAIR)
        pairs_fail = task.fails(pairs, Way.AS_PAIR)
        pairs_by_characters = task.fails(pairs, Way.BY_CHARACTERS)
    extra, extra_of_controls = pairs_fail - pairs_by_characters, controls_fail - controls_by_characters
    return BigramFindings(
        pairs=len(pairs),
        controls=len(controls),
        pairs_fail=float(pairs_fail.mean()),
        pairs_fail_by_characters=float(pairs_by_characters.mean()),
        controls_fail=float(controls_fail.mean()),
        controls_fail_by_characters=float(controls_by_characters.mean()),
        difference=float(extra.mean() - extra_of_controls.mean()),
        p=permutation_p(extra, extra_of_controls),
        refused=None,
        failed=tuple(p.text for p, x in zip(pairs, extra, strict=True) if x > 0),
    )


def _refusal(
    pairs: Sequence[Phrase], controls: Sequence[Phrase], by_characters: npt.NDArray[np.int64]
) -> str | None:
    """Return why the test cannot be made, or None."""
    if not controls:
        return "there are no pairs of complete tokens to compare with"
    if by_characters.mean() > REFUSED_ABOVE:
        return (
            f"the model fails to copy {by_characters.mean():.0%} of the control pairs even character by "
            "character, so it cannot do the task, whatever the tokens"
        )
    return None if pairs else "there is no improbable pair to try"


def _only_controls(
    pairs: Sequence[Phrase],
    controls: Sequence[Phrase],
    by_characters: npt.NDArray[np.int64],
    refused: str,
) -> BigramFindings:
    """Return the findings of a test that was not made."""
    share = float(by_characters.mean()) if controls else math.nan
    return BigramFindings(
        len(pairs), len(controls), math.nan, math.nan, math.nan, share, math.nan, math.nan, refused, ()
    )


def permutation_p(group: npt.NDArray[np.integer], others: npt.NDArray[np.integer]) -> float:
    """Return the exact one-sided probability of so large a sum of `group` when members are permuted.

    Values are -1, 0 and 1, so that all permutations come down to how many of each fall into the group.

    >>> permutation_p(np.array([1, 1]), np.array([0, 0]))
    0.1666...
    """
    pooled = np.concatenate([group, others])
    n, ups, downs = len(group), int((pooled == 1).sum()), int((pooled == -1).sum())
    flat = len(pooled) - ups - downs
    if n == 0 or n == len(pooled):
        return 1.0
    observed, total, extreme = int(group.sum()), 0, 0
    for up in range(min(n, ups) + 1):
        for down in range(min(n - up, downs) + 1):
            ways = math.comb(ups, up) * math.comb(downs, down) * math.comb(flat, n - up - down)
            total += ways
            extreme += ways * (up - down >= observed)
    return extreme / total


class _Task:
    """Has phrases copied one by one, and tells the cost once some of them are timed."""

    def __init__(self, copies: Copies, stage: Stage, progress: Progress) -> None:
        self._copies, self._stage, self._progress = copies, stage, progress
        self._started = time.perf_counter()

    def fails(self, phrases: Sequence[Phrase], way: Way) -> npt.NDArray[np.int64]:
        """Return 1 for every phrase that was not copied and 0 for the others, shape (n,)."""
        failed = np.empty(len(phrases), dtype=np.int64)
        for place, phrase in enumerate(phrases):
            failed[place] = not self._copies(phrase, way)
            self._stage.advance()
            if self._stage.done == _TIMED and (total := self._stage.total or 0) > _TIMED:
                seconds = (time.perf_counter() - self._started) / _TIMED
                self._progress.note(
                    f"{total:,} phrases to be copied take {seconds:.1f} s each, about "
                    f"{max(1, round(seconds * (total - _TIMED) / 60))} more minutes."
                )
        return failed


class Copier:
    """Has phrases copied greedily, on one shared beginning; a `Copies`."""

    def __init__(self, model: Any, prompt: Prompt, spell: Callable[[Sequence[int]], bytes]) -> None:
        """Find out whether the beginning can be reused.

        :param model: A causal language model with transformers' forward interface, in evaluation mode.
        :param prompt: What `build_copy_prompt` gave.
        :param spell: Ids to bytes; a copy counts in any tokenization.
        """
        self._model, self._prompt, self._spell = model, prompt, spell
        self._runner = PromptRunner(model, prompt)

    def __call__(self, phrase: Phrase, way: Way) -> bool:
        """Return whether the greedy continuation spells the phrase, in whatever tokens."""
        import torch

        wanted, said = phrase.text.encode("utf-8"), b""
        start = self._prompt.shared_length
        before, between = self._prompt.ids[:start], self._prompt.ids[start + 1 :]
        reuses = self._runner.reuses_prefix
        new = [*phrase.shown(way), *between]
        ids = new if reuses else [*before, *new]
        with torch.inference_mode():
            cache = self._runner.prefix(self._prompt, 1) if reuses else None
            for _ in range(len(wanted)):  # a token may spell as little as one byte
                row = torch.tensor([ids], device=self._model.device)
                logits, cache = self._runner.forward(row, cache, reuses)
                following = int(logits[0].argmax())
                said += self._spell([following])
                if said.startswith(wanted):
                    return True
                if not wanted.startswith(said):
                    return False
                ids = [following] if reuses else [*ids, following]
        return False
