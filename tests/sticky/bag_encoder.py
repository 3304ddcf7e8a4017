"""A small embedding model without torch: a weighted mean of token rows, each text computed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["BagEncoder", "english"]

WORDS = [
    "river",
    "stone",
    "market",
    "engine",
    "doctor",
    "yellow",
    "winter",
    "garden",
    "letter",
    "bridge",
    "planet",
    "silver",
    "copper",
    "forest",
    "island",
    "music",
    "school",
    "window",
    "kitchen",
    "harbor",
    "desert",
    "monkey",
    "rabbit",
    "tiger",
    "eagle",
    "lemon",
    "pepper",
    "cotton",
    "ticket",
    "rocket",
    "pilot",
    "sailor",
    "farmer",
    "writer",
    "singer",
    "lawyer",
    "temple",
    "castle",
    "tunnel",
    "valley",
    "meadow",
    "canyon",
    "glacier",
    "volcano",
    "comet",
    "orbit",
    "signal",
    "circuit",
    "battery",
    "magnet",
    "crystal",
    "diamond",
    "marble",
    "velvet",
    "carpet",
    "mirror",
    "candle",
    "lantern",
    "anchor",
]


def english(count: int, seed: int) -> list[str]:
    """Return distinct word sequences of 9 to 14 words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(9, 15), replace=False)) for _ in range(count)]


class BagEncoder:
    """Words `t0 t1 ...` of a vocabulary; unknown words are cut greedily into known ones."""

    def __init__(self, rows: np.ndarray, words: Sequence[str]) -> None:
        self.path = Path("bag")
        self.window = 64
        self.rows = rows
        self.words = list(words)
        self.ids = {word: i for i, word in enumerate(words)}
        self.texts_encoded = 0

    @staticmethod
    def random(extra: int, seed: int = 0, dimension: int = 96) -> BagEncoder:
        """Return a model of the words above and `extra` further ones, rows of about equal length."""
        rng = np.random.default_rng(seed)
        words = [*WORDS, *(f"q{i}x" for i in range(extra))]
        rows = rng.normal(size=(len(words), dimension))
        rows *= np.exp(0.1 * rng.normal(size=(len(words), 1))) / np.linalg.norm(rows, axis=1, keepdims=True)
        return BagEncoder(rows + 0.02, words)

    def tokenize(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(i for word in text.split() for i in self._cut(word)) for text in texts]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(content) for content in self.tokenize(texts)]

    def _cut(self, word: str) -> list[int]:
        out, start = [], 0
        while start < len(word):
            end = next((e for e in range(len(word), start, -1) if word[start:e] in self.ids), None)
            if end is None:
                start += 1
                continue
            out.append(self.ids[word[start:end]])
            start = end
        return out

    def embed(self, contents: Sequence[Sequence[int]]) -> np.ndarray:
        self.texts_encoded += len(contents)
        vectors = []
        for content in contents:
            weights = 1 / (1 + 0.03 * np.arange(len(content)))
            pooled = (self.rows[list(content)] * weights[:, None]).sum(axis=0)
            vectors.append(pooled / np.linalg.norm(pooled))
        return np.array(vectors, dtype=np.float32)
