"""Does a row know the letters of its token? A witness that needs neither references nor a model run.

After Kaushal and Mahowald 2022 ("What do tokens know about their characters and how do they know it?"): a
linear probe from the rows of the embedding to the letters that occur in the token's text, here ridge
regression, cross-fitted so that no row is predicted from itself. Rows that training never told apart are
predicted by the base rates alone, so the strength of the prediction (its distance from the base rates) is
low for them. Mean AUC per letter was .92 to .98 on three models; as a sign of missing training the strength
had .83, 1.00 and 1.00 against rejected tokens. One alphabet has one probe; a script with fewer than
`LEAST_TOKENS` words, or with more letters than an alphabet has, gets no value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix

__all__ = ["LEAST_TOKENS", "LetterProbe", "letter_probe"]

#: Fewest words of a script that a probe is fitted on.
LEAST_TOKENS = 2000
#: Letters of an alphabet: more than this, and the script is none.
_MOST_LETTERS = 100
#: Share of a script's words below which a letter is too rare to be asked for.
_RARE = 0.002
#: Ridge penalty in units of the rows' variance, folds, and rows per product.
_PENALTY, _FOLDS, _CHUNK = 50.0, 5, 8192


@dataclass(frozen=True, eq=False)
class LetterProbe:
    """How strongly the letters of every token can be read from its row."""

    #: Distance of the prediction from the base rates, low means suspicious, shape (V,); NaN without value.
    letter_strength: npt.NDArray[np.float32]
    #: Script -> how many words it rests on.
    words: dict[str, int]
    #: Script -> mean AUC over its letters, .5 by chance: whether the probe works on this model at all.
    auc: dict[str, float]


def letter_probe(
    matrix: RowMatrix,
    texts: Sequence[str | None],
    scripts: npt.NDArray[np.str_],
    eligible: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    least_tokens: int = LEAST_TOKENS,
) -> LetterProbe:
    """Return how strongly the letters of every token can be read from its row.

    :param matrix: `E_in`, shape `(V, d)`.
    :param texts: The text of every token, None without.
    :param scripts: The script of every token, as `Vocabulary.script` has it.
    :param eligible: Tokens with a usable row that may take part, shape `(V,)`.
    :param rng: The run's generator; draws the folds.
    :param least_tokens: Fewest words of a script.
    """
    V = matrix.shape[0]
    words: dict[str, list[tuple[int, str]]] = {}
    for token in np.flatnonzero(eligible[: min(V, len(texts))]).tolist():
        word = (texts[token] or "").strip().lower()
        if len(word) >= 2 and word.isalpha():
            words.setdefault(str(scripts[token]), []).append((token, word))
    strength = np.full(V, np.nan, dtype=np.float32)
    sizes, areas = {}, {}
    for script in sorted(words):
        alphabet = _alphabet(script, [word for _, word in words[script]])
        listed = [(t, w) for t, w in words[script] if set(w) <= alphabet] if alphabet else []
        if len(listed) < least_tokens:
            continue
        ids = np.array([t for t, _ in listed], dtype=np.int64)
        letters = sorted(alphabet)
        truth = np.array([[c in word for c in letters] for _, word in listed], dtype=np.float32)
        predicted = _cross_fit(matrix, ids, truth, rng)  # (n, letters)
        strength[ids] = np.linalg.norm(predicted - truth.mean(axis=0), axis=1)
        sizes[script], areas[script] = len(ids), _mean_auc(predicted, truth)
    return LetterProbe(strength, sizes, areas)


def _alphabet(script: str, words: Sequence[str]) -> frozenset[str]:
    """Return the letters of a script that words use; none where there are more than an alphabet has."""
    if script == "Latin":
        return frozenset("abcdefghijklmnopqrstuvwxyz")
    counts = Counter(c for word in words for c in set(word))
    letters = frozenset(c for c, n in counts.items() if n >= _RARE * len(words))
    return letters if len(letters) <= _MOST_LETTERS else frozenset()


def _cross_fit(
    matrix: RowMatrix, ids: npt.NDArray[np.int64], truth: npt.NDArray[np.float32], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the ridge predictions of `truth` from rows, each fold predicted from the others, (n, letters).

    One Gram matrix per fold is summed; the normal equations of the others are their sum.
    """
    d = matrix.shape[1]
    fold = rng.integers(0, _FOLDS, size=len(ids))
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(ids), _CHUNK)]
    total, squares = np.zeros(d), 0.0
    for chunk in chunks:
        rows = matrix.gather(ids[chunk])
        total += rows.sum(axis=0, dtype=np.float64)
        squares += float(np.einsum("ij,ij->", rows, rows, dtype=np.float64))
    mean = total / len(ids)
    deviation = np.sqrt(max(squares / (len(ids) * d) - float((mean**2).mean()), 1e-30))

    def features(chunk: slice) -> npt.NDArray[np.float32]:
        rows = (matrix.gather(ids[chunk]) - mean.astype(np.float32)) / np.float32(deviation)
        return np.concatenate([rows, np.ones((len(rows), 1), dtype=np.float32)], axis=1)

    gram = np.zeros((_FOLDS, d + 1, d + 1))
    cross = np.zeros((_FOLDS, d + 1, truth.shape[1]))
    for chunk in chunks:
        X = features(chunk)
        for k in range(_FOLDS):
            mine = fold[chunk] == k
            gram[k] += X[mine].T @ X[mine]
            cross[k] += X[mine].T @ truth[chunk][mine]
    penalty = _PENALTY * np.eye(d + 1)
    weights = [
        np.linalg.solve(gram.sum(0) - gram[k] + penalty, cross.sum(0) - cross[k]) for k in range(_FOLDS)
    ]
    predicted = np.empty(truth.shape)
    for chunk in chunks:
        X = features(chunk)
        for k in range(_FOLDS):
            mine = np.flatnonzero(fold[chunk] == k)
            predicted[chunk.start + mine] = X[mine] @ weights[k]
    return predicted


def _mean_auc(predicted: npt.NDArray[np.float64], truth: npt.NDArray[np.float32]) -> float:
    """Return the area under the curve of each letter, averaged over letters that both occur and lack."""
    from scipy.stats import rankdata

    areas = []
    for z, y in zip(predicted.T, truth.T, strict=True):
        present = int(y.sum())
        if 0 < present < len(y):
            above = rankdata(z)[y > 0].sum() - present * (present + 1) / 2
            areas.append(above / (present * (len(y) - present)))
    return float(np.mean(areas)) if areas else float("nan")
