"""Which tokens outside a ranking are worth a prompt too, by kind: read off the vocabulary."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.schema.words import Category, Role
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["verified_groups"]

#: Declared reserved entries that are put to the model, drawn at random: whether such entries were put
#: to use shows in a sample, and a vocabulary may hold thousands.
RESERVED_SAMPLE = 64


def verified_groups(
    vocabulary: Vocabulary, is_representative: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[Role, list[int]]:
    """Return single bytes, parts of characters, unreachable and special tokens, one for identical rows.

    :param vocabulary: The vocabulary.
    :param is_representative: Whether each row of the matrix speaks for itself, shape `(V,)`.
    :param rng: Draws from the reserved entries.
    """
    own = np.zeros(len(vocabulary), dtype=bool)
    rows = min(len(is_representative), len(vocabulary))
    own[:rows] = is_representative[:rows]
    reserved = np.array([word is not None for word in vocabulary.reserved])
    unreachable = np.isin(vocabulary.category, [Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI])
    special = vocabulary.is_special & ~reserved
    plain = own & ~reserved & ~special & ~vocabulary.is_byte
    declared = np.flatnonzero(own & reserved)
    drawn = rng.choice(declared, size=min(RESERVED_SAMPLE, len(declared)), replace=False)
    return {
        Role.BYTE: np.flatnonzero(own & vocabulary.is_byte).tolist(),
        Role.PARTIAL_UTF8: np.flatnonzero(plain & (vocabulary.category == Category.UNDECODABLE)).tolist(),
        Role.UNREACHABLE: np.flatnonzero(plain & unreachable).tolist(),
        Role.SPECIAL: sorted([*np.flatnonzero(own & special).tolist(), *drawn.tolist()]),
    }
