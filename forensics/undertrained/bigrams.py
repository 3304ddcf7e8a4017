"""Can a model say improbable pairs? A copying task with two controls and an exact test.

After arXiv 2410.23684: the model is to copy a phrase made of two tokens that share one character
(`forensics.vocabulary.improbable_pairs`). That such pairs fail says little by itself: on Qwen2.5-Coder-0.5B
they failed in .44 of cases and pairs of complete tokens of rare scripts in .38. So every phrase is copied
twice, as its two tokens and character by character, and the same is done with control pairs of complete
tokens: what counts is how much more the tokens cost the improbable pairs than the controls (a difference of
differences). The test is exact: which phrases are improbable is permuted over all phrases.

Refused where the model cannot copy the controls' characters either: on SmolLM2-135M they fail in .60.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import TokenizerSource
from forensics.undertrained.prompts import SLOT, encode_segments, leading_special_ids

__all__ = ["BigramFindings", "CopyPrompt", "Phrase", "build_copy_prompt", "copy_pairs", "permutation_p"]

#: Words of four scripts that the task is shown with.
_SHOTS = ("hello", "Straße", "中文字", "привет")
#: Share of controls, copied character by character, above which the model cannot do the task.
REFUSED_ABOVE = 0.3


@dataclass(frozen=True)
class Phrase:
    """One phrase and the two ways in which it is shown to the model."""

    text: str
    #: Its two tokens.
    as_pair: tuple[int, ...]
    #: The same text, every character by its own token or else its bytes.
    by_characters: tuple[int, ...]


@dataclass(frozen=True)
class CopyPrompt:
    """Ids around a phrase that is to be copied."""

    #: Examples of phrases and their copies, up to where the phrase begins.
    before: tuple[int, ...]
    #: What stands between the phrase and its copy.
    between: tuple[int, ...]


def build_copy_prompt(source: TokenizerSource) -> CopyPrompt:
    """Return the copying task in the ids of `source`.

    :param source: The tokenizer of the model under test.
    """
    examples = "".join(f"Text: «{word}»\nCopy: «{word}»\n" for word in _SHOTS)
    ids = encode_segments(source, [f"{examples}Text: «", "»\nCopy: «"])
    place = ids.index(SLOT)
    return CopyPrompt((*leading_special_ids(source), *ids[:place]), ids[place + 1 :])


@dataclass(frozen=True)
class BigramFindings:
    """How often phrases could not be copied."""

    #: Improbable pairs and control pairs that were tried.
    pairs: int
    controls: int
    #: Share that failed as two tokens, and character by character.
    pairs_fail: float
    pairs_fail_by_characters: float
    controls_fail: float
    controls_fail_by_characters: float
    #: How much more the tokens cost the improbable pairs than the controls, in shares; NaN without phrases.
    difference: float
    #: One-sided probability of as large a difference if it made none which phrases are improbable.
    p: float
    #: Why nothing follows from the numbers, or None.
    refused: str | None
    #: Improbable pairs that failed as tokens and not by characters.
    failed: tuple[str, ...]


def copy_pairs(
    model: Any,
    prompt: CopyPrompt,
    pairs: Sequence[Phrase],
    controls: Sequence[Phrase],
    spell: Callable[[Sequence[int]], bytes],
) -> BigramFindings:
    """Return how often the model fails to copy improbable pairs and controls.

    :param model: A causal language model with transformers' forward interface, in evaluation mode.
    :param prompt: The copying task.
    :param pairs: Improbable pairs.
    :param controls: Pairs of complete tokens.
    :param spell: Ids to bytes; a copy counts in any tokenization.
    """
    copier = _Copier(model, prompt, spell)
    fails = [
        np.array(
            [
                [not copier.copies(p.as_pair, p.text), not copier.copies(p.by_characters, p.text)]
                for p in group
            ]
        )
        .reshape(len(group), 2)
        .astype(int)
        for group in (pairs, controls)
    ]
    extra = [f[:, 0] - f[:, 1] for f in fails]
    share = [
        [float(x) if len(f) else math.nan for x in (f.mean(axis=0) if len(f) else (0, 0))] for f in fails
    ]
    refused = None
    if not pairs or not controls:
        refused = "there are no pairs to compare"
    elif share[1][1] > REFUSED_ABOVE:
        refused = f"the model fails to copy {share[1][1]:.0%} of the controls character by character"
    return BigramFindings(
        pairs=len(pairs),
        controls=len(controls),
        pairs_fail=share[0][0],
        pairs_fail_by_characters=share[0][1],
        controls_fail=share[1][0],
        controls_fail_by_characters=share[1][1],
        difference=float(extra[0].mean() - extra[1].mean()) if pairs and controls else math.nan,
        p=permutation_p(extra[0], extra[1]),
        refused=refused,
        failed=tuple(p.text for p, x in zip(pairs, extra[0], strict=True) if x > 0),
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


class _Copier:
    """Copies phrases greedily on one shared beginning."""

    def __init__(self, model: Any, prompt: CopyPrompt, spell: Callable[[Sequence[int]], bytes]) -> None:
        import torch

        self._model, self._prompt, self._spell = model, prompt, spell
        with torch.inference_mode():
            ids = torch.tensor([prompt.before], device=model.device)
            self._prefix = model(input_ids=ids, use_cache=True).past_key_values

    def copies(self, shown: Sequence[int], text: str) -> bool:
        """Return whether the greedy continuation spells `text`, in whatever tokens."""
        import torch

        wanted, said = text.encode("utf-8"), b""
        ids = torch.tensor([[*shown, *self._prompt.between]], device=self._model.device)
        cache = copy.deepcopy(self._prefix)
        with torch.inference_mode():
            for _ in range(len(wanted)):  # a token may spell as little as one byte
                answer = self._model(input_ids=ids, past_key_values=cache, use_cache=True)
                following = int(answer.logits[0, -1].argmax())
                said += self._spell([following])
                if said.startswith(wanted):
                    return True
                if not wanted.startswith(said):
                    return False
                cache, ids = answer.past_key_values, torch.tensor([[following]], device=self._model.device)
        return False
