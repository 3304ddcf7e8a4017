"""Other ways of cutting the same pre-tokens into the same pieces (Uzan et al. 2024, arXiv 2403.01289).

A vocabulary does not prescribe how it is used: the longest prefix, the longest suffix, the longest token
anywhere or the fewest tokens are as possible as merges in order. How many pre-tokens come out otherwise, and
with how many tokens, says how much of a tokenizer's cost lies in its merges rather than its pieces.
Byte-level BPE only: there every pre-token can be spelt whatever the pieces are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from forensics.errors import BadInputError
from forensics.schema.audit_summary import SegmentationDifference
from forensics.sources.interface import TokenizerModel, TokenizerSource

__all__ = [
    "METHODS",
    "compare_segmentations",
    "fewest_tokens",
    "longest_anywhere",
    "longest_prefix",
    "longest_suffix",
]

Segmenter = Callable[[str, frozenset[str], int], tuple[str, ...]]


def longest_prefix(word: str, pieces: frozenset[str], longest: int) -> tuple[str, ...]:
    """Return `word` cut by taking the longest piece from the left, again and again.

    :param word: A pre-token that pieces of one character can spell.
    :param pieces: The vocabulary.
    :param longest: Characters of its longest piece.
    """
    parts: list[str] = []
    at = 0
    while at < len(word):
        size = next(
            n for n in range(min(longest, len(word) - at), 0, -1) if n == 1 or word[at : at + n] in pieces
        )
        parts.append(word[at : at + size])
        at += size
    return tuple(parts)


def longest_suffix(word: str, pieces: frozenset[str], longest: int) -> tuple[str, ...]:
    """Return `word` cut by taking the longest piece from the right, again and again."""
    parts: list[str] = []
    end = len(word)
    while end > 0:
        size = next(n for n in range(min(longest, end), 0, -1) if n == 1 or word[end - n : end] in pieces)
        parts.append(word[end - size : end])
        end -= size
    return tuple(reversed(parts))


def longest_anywhere(word: str, pieces: frozenset[str], longest: int) -> tuple[str, ...]:
    """Return `word` cut by taking the longest piece anywhere, the leftmost of equals, then what is left."""
    pending, parts = [word], []
    while pending:
        rest = pending.pop()
        if not rest:
            continue
        for size in range(min(longest, len(rest)), 0, -1):
            starts = range(len(rest) - size + 1)
            at = next((n for n in starts if size == 1 or rest[n : n + size] in pieces), None)
            if at is not None:
                break
        if at == 0:
            parts.append(rest[:size])
            pending.append(rest[size:])
        else:  # what stands before goes first
            pending += [rest[(at or 0) + size :], rest[at : (at or 0) + size], rest[:at]]
    return tuple(parts)


def fewest_tokens(word: str, pieces: frozenset[str], longest: int) -> tuple[str, ...]:
    """Return `word` cut into the fewest pieces; of several ways that with the longest piece at the end."""
    best = [0] * (len(word) + 1)
    size_at = [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        fitting = (n for n in range(min(longest, end), 0, -1) if n == 1 or word[end - n : end] in pieces)
        size_at[end] = min(fitting, key=lambda n: (best[end - n], -n))
        best[end] = best[end - size_at[end]] + 1
    parts: list[str] = []
    end = len(word)
    while end:
        parts.append(word[end - size_at[end] : end])
        end -= size_at[end]
    return tuple(reversed(parts))


#: Name -> how it cuts.
METHODS: Mapping[str, Segmenter] = {
    "longest_prefix": longest_prefix,
    "longest_suffix": longest_suffix,
    "longest_token": longest_anywhere,
    "fewest_tokens": fewest_tokens,
}


def compare_segmentations(
    source: TokenizerSource, lines: Iterable[str]
) -> tuple[SegmentationDifference, ...]:
    """Return how every method differs from the tokenizer's own way on some text.

    :param source: A byte-level BPE tokenizer.
    :param lines: The text.
    :raises BadInputError: If the tokenizer is of another kind.
    """
    if source.model is not TokenizerModel.BPE or not source.byte_level:
        raise BadInputError(
            source.path,
            f"a {source.model.value} tokenizer that is not byte-level",
            "other segmentations are defined for byte-level BPE only",
        )
    encoder = source.encoder
    words: dict[str, int] = {}
    for line in lines:
        text = encoder.normalizer.normalize_str(line) if encoder.normalizer is not None else line
        for word, _ in encoder.pre_tokenizer.pre_tokenize_str(text) if encoder.pre_tokenizer else ():
            words[word] = words.get(word, 0) + 1
    added = {token.content for token in source.added_tokens}
    pieces = frozenset(piece for piece in source.pieces if piece is not None and piece not in added)
    longest = max(map(len, pieces))
    model = encoder.model
    own = {word: tuple(token.value for token in model.tokenize(word)) for word in words}
    total = sum(words.values())
    tokens = sum(len(own[word]) * count for word, count in words.items())
    found = []
    for name, cut in METHODS.items():
        others = {word: cut(word, pieces, longest) for word in words}
        found.append(
            SegmentationDifference(
                method=name,
                words=total,
                differ=sum(count for word, count in words.items() if others[word] != own[word])
                / max(total, 1),
                tokens=sum(len(others[word]) * count for word, count in words.items()) / max(tokens, 1),
            )
        )
    return tuple(found)
