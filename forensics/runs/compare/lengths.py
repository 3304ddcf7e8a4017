"""How long the lines of a parallel text are in two tokenizers.

A language of which one of them does not know more than a tenth is struck, as in an audit: its lines are short
because they say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.auditing.encoded_text import encode_lines, sequence_lengths
from forensics.auditing.languages import REFERENCE, dropped_characters
from forensics.auditing.premium import ratio_of_sums
from forensics.auditing.unknown import Spelt, is_byte_complete, is_struck, unknown_ids, unknown_share
from forensics.schema.compare import LengthEntry
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.parallel_text import ParallelText

if TYPE_CHECKING:
    import tokenizers

__all__ = ["LineLengths", "compare_lengths", "tokens_per_line"]

Int64Array = npt.NDArray[np.int64]

#: Normalizers that drop no character.
_LOSSLESS = frozenset({"NFC", "NFD", "NFKC", "NFKD"})


@dataclass(frozen=True, eq=False)
class LineLengths:
    """The lines of one language in one tokenizer."""

    #: Tokens of every line, shape (m,), without special tokens.
    tokens: Int64Array
    #: Whether over a tenth is unknown or dropped, so that the lengths mean nothing.
    struck: bool


def tokens_per_line(source: TokenizerSource, vocabulary: Spelt, text: ParallelText) -> dict[str, LineLengths]:
    """Return language -> its lines, the languages in the order of the text."""
    complete = is_byte_complete(vocabulary)
    if complete and _loses_nothing(source.encoder):
        # Nothing can be unknown, so lengths are all that is asked, and they are had faster.
        return {
            language: LineLengths(sequence_lengths(source.encoder, lines), struck=False)
            for language, lines in text.lines.items()
        }
    unknown = None if complete else unknown_ids(source)
    return {language: _measured(source, lines, unknown) for language, lines in text.lines.items()}


def _loses_nothing(encoder: tokenizers.Tokenizer) -> bool:
    """Return whether the normalizer is known to drop no character."""
    if encoder.normalizer is None:
        return True
    return json.loads(encoder.normalizer.__getstate__()).get("type") in _LOSSLESS


def _measured(
    source: TokenizerSource, lines: Sequence[str], unknown: npt.NDArray[np.int32] | None
) -> LineLengths:
    encoded = encode_lines(source.encoder, lines)
    struck = is_struck(unknown_share(encoded, unknown), dropped_characters(encoded))
    return LineLengths(encoded.line_lengths, struck)


def compare_lengths(a: Mapping[str, LineLengths], b: Mapping[str, LineLengths]) -> tuple[LengthEntry, ...]:
    """Return every language, the one that grows most first, those that are struck last.

    :param a: Language -> its lines in A.
    :param b: The same lines in the other.
    """
    found = [_language(language, a, b) for language in a]
    return tuple(sorted(found, key=lambda each: (each.struck, -(each.ratio or 0.0), each.language)))


def _language(language: str, a: Mapping[str, LineLengths], b: Mapping[str, LineLengths]) -> LengthEntry:
    one, other = a[language].tokens, b[language].tokens
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
        struck_a=a[language].struck,
        struck_b=b[language].struck,
    )


def _premium(language: str, lengths: Mapping[str, LineLengths]) -> float | None:
    reference = lengths.get(REFERENCE)
    if reference is None or not reference.tokens.sum():
        return None
    return ratio_of_sums(lengths[language].tokens, reference.tokens).value
