"""Two vocabularies side by side, by the bytes that their pieces stand for.

Raw spellings mislead: Gemma 2 and Llama 3 share 25,632 pieces by spelling and 85,699 by bytes. Added tokens
are left to `comparison.fields`, and ids are a statement of their own: Mixtral-8x22B v0.3 has Mistral's pieces
and merges and not one equal id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forensics.comparison.spelt import SpeltVocabulary
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.spelling import continues_word

__all__ = ["PieceKey", "VocabularyDifference", "compare_vocabularies", "describe_pieces", "ordinary_pieces"]

#: The bytes of a piece, and whether it can only stand inside a word (WordPiece's `##`).
PieceKey = tuple[bytes, bool]


@dataclass(frozen=True, eq=False)
class VocabularyDifference:
    """Which ordinary pieces two tokenizers share."""

    #: Ordinary pieces of each, counted once per bytes.
    size_a: int
    size_b: int
    #: Piece -> (id in A, id in B), in the order of A's ids.
    shared: Mapping[PieceKey, tuple[int, int]]
    #: Pieces of one alone -> id, in the order of ids.
    only_a: Mapping[PieceKey, int]
    only_b: Mapping[PieceKey, int]
    #: Shared pieces with the same id in both.
    same_id: int


def ordinary_pieces(source: TokenizerSource, vocabulary: SpeltVocabulary) -> dict[PieceKey, int]:
    """Return the pieces that the algorithm gives -> id; of several ids with the same bytes the first.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    inside = continues_word(source)
    found: dict[PieceKey, int] = {}
    for token_id, (piece, data) in enumerate(zip(vocabulary.pieces, vocabulary.bytes, strict=True)):
        if piece is not None and data is not None and not vocabulary.is_added[token_id]:
            found.setdefault((data, inside(piece)), token_id)
    return found


def compare_vocabularies(
    a: tuple[TokenizerSource, SpeltVocabulary], b: tuple[TokenizerSource, SpeltVocabulary]
) -> VocabularyDifference:
    """Return which ordinary pieces two tokenizers share.

    :param a: One tokenizer and its vocabulary.
    :param b: The other.
    """
    of_a, of_b = ordinary_pieces(*a), ordinary_pieces(*b)
    shared = {key: (token_id, of_b[key]) for key, token_id in of_a.items() if key in of_b}
    return VocabularyDifference(
        size_a=len(of_a),
        size_b=len(of_b),
        shared=shared,
        only_a={key: token_id for key, token_id in of_a.items() if key not in of_b},
        only_b={key: token_id for key, token_id in of_b.items() if key not in of_a},
        same_id=sum(one == other for one, other in shared.values()),
    )


def describe_pieces(pieces: Mapping[PieceKey, int]) -> str:
    """Return in words what some pieces are, where they are all of one class, else how many there are.

    >>> describe_pieces({(b"10", False): 5, (b"123", False): 6})
    'the 2 numbers of 2 to 3 digits'
    """
    texts = [data.decode("utf-8", "replace") for data, _ in pieces]
    count = f"{len(texts):,}"
    if not texts:
        return "nothing"
    for name, unit, fits in (
        ("numbers", "digits", lambda text: text.isascii() and text.isdigit()),
        ("runs of whitespace", "characters", str.isspace),
        ("pieces without letters or digits", "characters", _is_punctuation),
    ):
        if all(map(fits, texts)):
            lengths = sorted(map(len, texts))
            span = str(lengths[0]) if lengths[0] == lengths[-1] else f"{lengths[0]} to {lengths[-1]}"
            return f"the {count} {name} of {span} {unit}"
    return f"{count} {'piece' if len(texts) == 1 else 'pieces'} ({', '.join(_examples(texts))})"


def _is_punctuation(text: str) -> bool:
    return "\ufffd" not in text and not any(map(str.isalnum, text))


def _examples(texts: list[str], most: int = 3) -> Iterator[str]:
    yield from (repr(text) for text in texts[:most])
    if len(texts) > most:
        yield "..."
