"""The texts of the published procedure: a token's string repeated before, after and inside sentence 2.

As in the authors' released program, what is inserted is the decoded token, and the result is tokenized
anew; the token itself is often no longer in it. The word slots of the insertions come from one
`random.Random(42)` that is used token after token in id order, pair after pair, one draw a copy.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence

from forensics.sticky.insertion import Mode

__all__ = ["SEED", "insertion_slots", "modified_text", "modified_texts"]

#: The authors' seed.
SEED = 42


def insertion_slots(
    tokens: int, words: Sequence[int], copies: int, wanted: Collection[int]
) -> Iterator[tuple[int, list[list[int]]]]:
    """Yield `(k, slots)` for every wanted token, `k` being its place in id order.

    `slots[p][i]` is where copy `i + 1` goes in pair `p`: after that many words of sentence 2, the copies
    before it included. Draws of tokens that are not wanted are made and thrown away, so a token's slots do
    not depend on which others are computed.

    :param tokens: How many tokens there are.
    :param words: Number of words of each pair's sentence 2.
    :param copies: Copies per text.
    :param wanted: Places of the tokens that are wanted.
    """
    bits = random.Random(SEED).getrandbits  # noqa: S311 - the published stream, nothing secret
    # randint(0, n) draws n.bit_length() bits of n + 1 values until they are in range; written out here
    # because a run passes over tens of millions of draws. tests/sticky compares it with randint.
    bounds = [(n + i + 1, (n + i + 1).bit_length()) for n in words for i in range(copies)]
    last = max(wanted, default=-1)
    for k in range(min(tokens, last + 1)):
        flat = []
        for bound, width in bounds:
            value = bits(width)
            while value >= bound:
                value = bits(width)
            flat.append(value)
        if k in wanted:
            yield k, [flat[p * copies : (p + 1) * copies] for p in range(len(words))]


def modified_texts(token: str, sentence: str, slots: Sequence[int]) -> dict[Mode, list[str]]:
    """Return the texts with 1 to `len(slots)` copies of `token`, by mode.

    >>> modified_texts("x", "a b", [1, 0])[Mode.INSERTION]
    ['a x b', 'x a x b']
    """
    return {
        mode: [modified_text(token, sentence, mode, slots[:count]) for count in range(1, len(slots) + 1)]
        for mode in Mode
    }


def modified_text(token: str, sentence: str, mode: Mode, slots: Sequence[int]) -> str:
    """Return the text with as many copies of `token` as there are slots."""
    if mode is Mode.PREFIX:
        return token * len(slots) + sentence
    if mode is Mode.SUFFIX:
        return sentence + token * len(slots)
    words = sentence.split()
    for slot in slots:
        words.insert(slot, token)
    return " ".join(words)
