"""What becomes of a token that is inserted as a string: how often it is still there after tokenizing anew.

The published procedure repeats the token's text and lets the tokenizer split the result. `ing` before
`letter` becomes other tokens altogether; then what is scored is not the token's doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Encoder

__all__ = ["share_kept"]


def share_kept(
    encoder: Encoder, tokens: Mapping[int, str], sentences: Sequence[str], copies: int
) -> dict[Mode, float]:
    """Return the share of prefix and suffix texts in which the token stands as often as it was inserted.

    Occurrences that the sentence has of its own are not counted. Nothing is embedded.

    :param tokens: Token id -> its decoded text, as it is inserted.
    :param sentences: Sentence 2 of every pair.
    :param copies: Texts have 1 to this many copies.
    """
    own = encoder.tokenize(sentences)
    kept = {Mode.PREFIX: 0, Mode.SUFFIX: 0}
    numbers = range(1, copies + 1)
    for token_id, text in tokens.items():
        for sentence, content in zip(sentences, own, strict=True):
            before = content.count(token_id)
            inserted = {
                Mode.PREFIX: [text * i + sentence for i in numbers],
                Mode.SUFFIX: [sentence + text * i for i in numbers],
            }
            for mode, texts in inserted.items():
                found = encoder.tokenize(texts)
                kept[mode] += sum(
                    c.count(token_id) == before + i for i, c in zip(numbers, found, strict=True)
                )
    total = len(tokens) * len(sentences) * copies
    return {mode: count / total for mode, count in kept.items()}
