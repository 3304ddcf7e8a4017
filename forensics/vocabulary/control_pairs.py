"""Which pairs of tokens a model is asked to copy: improbable ones, and complete ones to compare with.

Both kinds are drawn alike: of well-trained rows, with letters of several scripts as the pairs of arXiv
2410.23684, and no token in two pairs, so that one odd token does not fail many of them. What differs is
that the tokens of one kind share a character.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.improbable_pairs import ImprobablePair
from forensics.vocabulary.scripts import MIXED, script_of_text
from forensics.vocabulary.spelling import text_of_bytes

if TYPE_CHECKING:
    import tokenizers

__all__ = ["apart", "control_pairs", "mixes_scripts", "spell_by_characters"]

#: Characters from here on are of other scripts than Latin, as those of improbable pairs mostly are.
_FIRST_CHARACTER = 0x370


def control_pairs(
    token_bytes: Sequence[bytes | None],
    encoder: tokenizers.Tokenizer,
    is_usable: Callable[[int], bool],
    rng: np.random.Generator,
    draws: int,
) -> Iterator[ImprobablePair]:
    """Yield random pairs of complete tokens of other scripts that encoding gives back; some come twice.

    :param token_bytes: The exact bytes of every token.
    :param encoder: The working tokenizer.
    :param is_usable: Tokens that pairs may be made of.
    :param rng: The run's generator.
    :param draws: Pairs drawn at most.
    """
    texts = {i: text for i, data in enumerate(token_bytes) if (text := text_of_bytes(data)) is not None}
    able = [i for i, text in texts.items() if min(map(ord, text)) > _FIRST_CHARACTER and is_usable(i)]
    bare = without_automatic_prefix(encoder)
    for _ in range(draws if able else 0):
        a, b = (able[int(i)] for i in rng.integers(0, len(able), size=2))
        text = texts[a] + texts[b]
        if bare.encode(text, add_special_tokens=False).ids == [a, b]:
            yield ImprobablePair(a, b, text)


def mixes_scripts(pair: ImprobablePair) -> bool:
    """Tell whether a pair has letters of several scripts."""
    return script_of_text(pair.text) == MIXED


def apart(pairs: Iterable[ImprobablePair], count: int) -> list[ImprobablePair]:
    """Return the first `count` pairs that share no token with an earlier one; fewer if there are no more."""
    found: list[ImprobablePair] = []
    taken: set[int] = set()
    for pair in pairs:
        if len(found) == count:
            break
        if not taken.intersection((pair.prefix, pair.suffix)):
            taken.update((pair.prefix, pair.suffix))
            found.append(pair)
    return found


def spell_by_characters(text: str, token_of_bytes: dict[bytes, int]) -> tuple[int, ...] | None:
    """Return a text's ids with every character by its own token or else its bytes; None where none spells it.

    :param text: The text.
    :param token_of_bytes: The token of each string of bytes; of equal ones the first.
    """
    ids: list[int] = []
    for character in text:
        whole = character.encode("utf-8")
        parts = [whole] if whole in token_of_bytes else [bytes([byte]) for byte in whole]
        if any(part not in token_of_bytes for part in parts):
            return None
        ids += [token_of_bytes[part] for part in parts]
    return tuple(ids)
