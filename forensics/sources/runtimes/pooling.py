"""Pooling: how the vectors of a text's tokens become one vector, as sentence-transformers has it.

One mode or several, whose vectors are then put one behind the other. No text is padded here, so that every
position of a batch counts, except those of a prompt that the folder leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, OptionError
from forensics.files import read_json

__all__ = ["Pooling", "PoolingConfig", "pool_states", "read_pooling", "stated_pooling"]


class Pooling(StrEnum):
    """One way to pool; the names are those of the option."""

    #: The mean of all tokens, special ones included.
    MEAN = "mean"
    #: The vector of the first token.
    CLS = "cls"
    #: The vector of the last token, as decoder embedders have it.
    LAST = "last"
    #: The largest value of every dimension.
    MAX = "max"
    #: The sum over the square root of the number of tokens.
    MEAN_SQRT = "mean_sqrt_len_tokens"
    #: The mean with weights that rise with the position.
    WEIGHTED_MEAN = "weightedmean"


#: Words of `pooling_mode`, which sentence-transformers 5 and later write, and the booleans of before in the
#: order in which several are put together.
_WORDS = {**{str(mode): mode for mode in Pooling if mode is not Pooling.LAST}, "lasttoken": Pooling.LAST}
_BOOLEANS = {
    "pooling_mode_cls_token": Pooling.CLS,
    "pooling_mode_max_tokens": Pooling.MAX,
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_mean_sqrt_len_tokens": Pooling.MEAN_SQRT,
    "pooling_mode_weightedmean_tokens": Pooling.WEIGHTED_MEAN,
    "pooling_mode_lasttoken": Pooling.LAST,
}
_OTHER_KEYS = frozenset({"embedding_dimension", "word_embedding_dimension", "include_prompt"})


@dataclass(frozen=True)
class PoolingConfig:
    """What a folder, or the caller, says about pooling."""

    #: The modes, whose vectors are put one behind the other.
    modes: tuple[Pooling, ...]
    #: Whether the tokens of a prompt are pooled too.
    include_prompt: bool = True

    def __str__(self) -> str:
        """Return the modes as reports call them."""
        return "+".join(self.modes)


def stated_pooling(word: str) -> Pooling:
    """Return the pooling that a caller states.

    :raises OptionError: If there is no such pooling.
    """
    if word not in set(Pooling):
        raise OptionError("pooling", f"found {word!r}", f"give one of {', '.join(Pooling)}")
    return Pooling(word)


def read_pooling(file: Path) -> PoolingConfig:
    """Return what the configuration of a pooling module asks for.

    :raises BadInputError: If it cannot be read, or has a mode or a key that is not known.
    """
    config = read_json(file)
    unknown = [key for key in config if key not in {"pooling_mode", *_BOOLEANS, *_OTHER_KEYS}]
    if unknown:
        found = f"has the keys {', '.join(unknown[:5])}, which are not known"
        raise BadInputError(file, found, "state it with `pooling`")
    words = _asked_for(config)
    if not words or not _WORDS.keys() >= set(words):
        found = f"asks for the pooling modes {words}, where {[*_WORDS]} are known"
        raise BadInputError(file, found, "state it with `pooling`")
    return PoolingConfig(tuple(_WORDS[word] for word in words), bool(config.get("include_prompt", True)))


def _asked_for(config: Mapping[str, Any]) -> list[str]:
    """Return the modes as words; where nothing is said the library takes the mean."""
    stated = config.get("pooling_mode")
    if stated is not None:
        return [str(word) for word in stated] if isinstance(stated, list) else [str(stated)]
    asked = [mode for key, mode in _BOOLEANS.items() if config.get(key)]
    words = {mode: word for word, mode in _WORDS.items()}
    return [words[mode] for mode in asked] or [str(Pooling.MEAN)]


def pool_states(states: Any, config: PoolingConfig, skipped: int = 0) -> Any:
    """Return one vector per text, `(n, length, d)` -> `(n, modes * d)`, in torch.

    :param states: The last hidden states of texts of one length.
    :param config: How they are pooled.
    :param skipped: Leading positions that are not pooled: a prompt that is left out.
    """
    import torch

    kept = states[:, skipped:]
    pooled = []
    for mode in config.modes:
        if mode is Pooling.MEAN:
            pooled.append(kept.mean(dim=1))
        elif mode is Pooling.MAX:
            pooled.append(kept.amax(dim=1))
        elif mode is Pooling.CLS:
            pooled.append(kept[:, 0])
        elif mode is Pooling.LAST:
            pooled.append(kept[:, -1])
        elif mode is Pooling.MEAN_SQRT:
            pooled.append(kept.sum(dim=1) / kept.shape[1] ** 0.5)
        else:
            # The weight of a position is its number in the whole text, from 1.
            weights = torch.arange(1, states.shape[1] + 1, device=states.device, dtype=states.dtype)[skipped:]
            pooled.append((kept * weights[:, None]).sum(dim=1) / weights.sum())
    return pooled[0] if len(pooled) == 1 else torch.cat(pooled, dim=-1)
