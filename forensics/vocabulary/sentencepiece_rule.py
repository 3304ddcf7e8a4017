r"""How SentencePiece's BPE trainer keeps pieces apart, written as a pre-tokenizer.

A `.model` or converted `tokenizer.json` has no pre-tokenizer: merging runs over the whole line, and the
borders that training respected are simply not crossed by any piece. With the trainer's defaults
(`split_by_whitespace`, `split_by_unicode_script`, `split_by_number`; trainer_interface.cc,
`IsValidSentencePiece`) a piece holds one word and one script; kana count as Han, combining marks go with
what stands before them, ASCII digits are common characters like punctuation and other digits belong to
their script. `split_digits` and `allow_whitespace_only_pieces` differ between models and are read off the
merges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.vocabulary.merge_list import MergeList

if TYPE_CHECKING:
    from tokenizers import pre_tokenizers

__all__ = ["sentencepiece_pre_tokenizer"]

SPACE = "\u2581"
#: What `split_digits` takes for digits, as a class of a regular expression.
DIGITS = "0-9\uff10-\uff19"
_DIGITS = re.compile(f"[{DIGITS}]+")
#: Scripts that are split from each other; one that is missing here is cut into single characters.
_SCRIPTS = [
    "Latin",
    "Cyrillic",
    "Greek",
    "Arabic",
    "Hebrew",
    "Devanagari",
    "Bengali",
    "Gurmukhi",
    "Gujarati",
    "Oriya",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Sinhala",
    "Thai",
    "Lao",
    "Tibetan",
    "Myanmar",
    "Georgian",
    "Hangul",
    "Ethiopic",
    "Cherokee",
    "Khmer",
    "Mongolian",
    "Armenian",
    "Syriac",
    "Thaana",
    "Bopomofo",
    "Yi",
    "Coptic",
    "Gothic",
    "Runic",
    "Canadian_Aboriginal",
    "Javanese",
    "Balinese",
    "Braille",
]


def sentencepiece_pre_tokenizer(merges: MergeList) -> pre_tokenizers.PreTokenizer:
    """Return the trainer's borders as a pre-tokenizer for normalized text (spaces are U+2581).

    :param merges: The merge list, which shows whether digits stand alone and runs of spaces are pieces.
    """
    from tokenizers import Regex, pre_tokenizers

    made = [merges.symbols[number] for number in set(merges.result.tolist())]
    digits_join = any(len(piece) > 1 and _DIGITS.fullmatch(piece.lstrip(SPACE)) for piece in made)
    spaces_join = any(len(piece) > 1 and set(piece) == {SPACE} for piece in made)
    # Marks (script Inherited) take the script of what stands before; first in a word they fit any.
    words = [rf"\p{{{script}}}[\p{{{script}}}\p{{Inherited}}]*" for script in _SCRIPTS]
    han = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC"
    words.append(rf"[{han}][{han}\p{{Inherited}}]*")
    # Private and unassigned characters are common ones to SentencePiece.
    common = rf"\p{{Common}}\p{{Co}}\p{{Cn}}&&[^{SPACE}{'' if digits_join else DIGITS}]"
    words.append(rf"[{common}][\p{{Inherited}}{common}]*")
    alternatives = [
        rf"{SPACE}+(?={SPACE})" if spaces_join else rf"{SPACE}(?={SPACE})",
        rf"{SPACE}?\p{{Inherited}}*(?:{'|'.join(words)})",
        rf"{SPACE}?\p{{Inherited}}+",
        rf"{SPACE}?[^{SPACE}{DIGITS}]",
        f"[{SPACE}{DIGITS}]",
    ]
    return pre_tokenizers.Split(Regex("|".join(alternatives)), behavior="isolated")
