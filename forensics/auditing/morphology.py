"""Whether tokens end where morphemes do, against chance.

Boundaries are read from offsets, with a space before the word. Recall alone (MorphScore) rewards chopping: a
tokenizer that splits everything finds every boundary. So precision, F1 and the F1 that as many random cuts
would have stand beside it. Words of one token have no boundary to judge; they are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forensics.schema.audit_summary import MorphologyScore
from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import tokenizers

__all__ = ["morphology_score", "word_borders"]

VARIANT = "offsets/leading_space/no_single_tokens"


def morphology_score(
    encoder: tokenizers.Tokenizer, vocabulary: Vocabulary, segmented: Sequence[Sequence[str]]
) -> MorphologyScore:
    """Return how well token boundaries meet morpheme boundaries.

    :param encoder: The working tokenizer.
    :param vocabulary: Its vocabulary.
    :param segmented: Words as their morphemes in order, e.g. `["un", "happi", "ness"]`.
    """
    words = ["".join(parts) for parts in segmented]
    borders = word_borders(encoder, vocabulary, words)
    hits = made = real = judged = 0
    by_chance = 0.0
    for parts, word, cuts in zip(segmented, words, borders, strict=True):
        if cuts is None:
            continue
        judged += 1
        ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts) - 1)]
        hits += len(cuts & set(ends))
        made += len(cuts)
        real += len(ends)
        if len(word) > 1:
            by_chance += len(cuts) * len(ends) / (len(word) - 1)
    total = made + real
    return MorphologyScore(
        words=judged,
        single_token=len(words) - judged,
        precision=hits / made if made else None,
        recall=hits / real if real else None,
        f1=2 * hits / total if total else None,
        chance_f1=2 * by_chance / total if total else None,
        variant=VARIANT,
    )


def word_borders(
    encoder: tokenizers.Tokenizer, vocabulary: Vocabulary, words: Sequence[str]
) -> list[frozenset[int] | None]:
    """Return where tokens meet inside every word, or None for words of one token.

    A token that is the space before the word alone is left out, and so is a border inside a character.
    """
    # A tokenizer that puts a space in front by itself is given the bare word, as in `words`.
    before = "" if without_automatic_prefix(encoder) is not encoder else " "
    lone = {token_id for token_id, data in enumerate(vocabulary.bytes) if data == b" "}
    found: list[frozenset[int] | None] = []
    encodings = encoder.encode_batch([before + word for word in words], add_special_tokens=False)
    for word, encoding in zip(words, encodings, strict=True):
        skipped = 1 if encoding.ids and encoding.ids[0] in lone else 0
        spans = encoding.offsets[skipped:]
        if len(spans) < 2:
            found.append(None)
            continue
        # A character that is spread over tokens is no border, and its tokens share its span.
        starts = {max(start - len(before), 0) for start, _ in spans}
        found.append(frozenset(place for place in starts if 0 < place < len(word)))
    return found
