"""The published procedure written out one text at a time, as slow and obvious as it gets."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np

__all__ = ["oracle_scores", "oracle_validation"]


def distance(encoder, text1, text2):
    one, two = (encoder.embed(encoder.tokenize([text]))[0].astype(np.float64) for text in (text1, text2))
    return 1 - one @ two


def sequences(encoder, token, pair, rng, copies):
    """Return the distance sequences of prefix, suffix and insertion."""
    one, two = pair.sentence1, pair.sentence2
    words = two.split()
    inserted = []
    for _ in range(copies):
        words.insert(rng.randint(0, len(words)), token)
        inserted.append(" ".join(words))
    start = distance(encoder, one, two)
    return [
        [start, *(distance(encoder, one, token * i + two) for i in range(1, copies + 1))],
        [start, *(distance(encoder, one, two + token * i) for i in range(1, copies + 1))],
        [start, *(distance(encoder, one, text) for text in inserted)],
    ]


def oracle_scores(encoder, tokens, pairs, copies):
    rng = random.Random(42)
    scores = []
    for token in tokens:
        total = 0.0
        for pair in pairs:
            bare = distance(encoder, pair.sentence1, token)
            found = sequences(encoder, token, pair, rng, copies)
            for weight, values in zip((0.35, 0.35, 0.3), found, strict=True):
                falls = [a - b for a, b in pairwise(values) if b < a]
                rises = [b - a for a, b in pairwise(values) if b > a]
                above = sum(falls) + 0.1 * len(falls) + 0.1 * bare
                total += weight * above / (sum(rises) + 0.05 * len(rises) + 0.01)
        scores.append(total / len(pairs))
    return scores


def oracle_validation(encoder, tokens, pairs, copies):
    rng = random.Random(42)
    values = []
    for token in tokens:
        total = 0.0
        for pair in pairs:
            found = sequences(encoder, token, pair, rng, copies)
            for weight, sequence in zip((4 / 11, 4 / 11, 3 / 11), found, strict=True):
                total += weight * (sum(sequence[1:]) / copies < sequence[0])
        values.append(total / len(pairs))
    return values
