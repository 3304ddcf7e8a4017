"""How long the lines of a parallel text are in two tokenizers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from forensics.audit.encoded_text import sequence_lengths
from forensics.audit.languages import REFERENCE
from forensics.audit.premium import ratio_of_sums
from forensics.schema.compare import LengthEntry
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.parallel_text import ParallelText

__all__ = ["compare_lengths", "tokens_per_line"]

Int64Array = npt.NDArray[np.int64]


def tokens_per_line(source: TokenizerSource, text: ParallelText) -> dict[str, Int64Array]:
    """Return language -> tokens of every line, shape (m,), without special tokens."""
    return {language: sequence_lengths(source.encoder, lines) for language, lines in text.lines.items()}


def compare_lengths(a: Mapping[str, Int64Array], b: Mapping[str, Int64Array]) -> tuple[LengthEntry, ...]:
    """Return every language, the one that grows most first.

    :param a: Language -> tokens of every line in A, shape (m,).
    :param b: The same lines in the other.
    """
    found = [_language(language, a, b) for language in a]
    return tuple(sorted(found, key=lambda each: (-(each.ratio or 0.0), each.language)))


def _language(language: str, a: Mapping[str, Int64Array], b: Mapping[str, Int64Array]) -> LengthEntry:
    one, other = a[language], b[language]
    ratio = ratio_of_sums(other, one) if one.sum() else None
    return LengthEntry(
        language=language,
        tokens_a=int(one.sum()),
        tokens_b=int(other.sum()),
        ratio=None if ratio is None else ratio.value,
        interval=None if ratio is None else ratio.interval,
        lines_longer=int((other > one).sum()),
        lines_shorter=int((other < one).sum()),
        premium_a=_premium(language, a),
        premium_b=_premium(language, b),
    )


def _premium(language: str, lengths: Mapping[str, Int64Array]) -> float | None:
    reference = lengths.get(REFERENCE)
    if reference is None or not reference.sum():
        return None
    return ratio_of_sums(lengths[language], reference).value
