"""Exact upper bounds of the published scores of many tokens, sharpened one text at a time.

Most of a bound comes from cells (pair and mode) in which no rise of the distances is known. Which cells of
a token show one soonest is learned from the tokens before it, so that a bound falls with few texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forensics.sticky.insertion import Mode
from forensics.sticky.interface import Float64Array
from forensics.sticky.published_score import MODE_WEIGHTS, cell_upper_bounds, known_rises
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import modified_text

__all__ = ["ScoreBounds"]

#: How far a distance can be from the one a score is computed from: the last bits of float32 make some 1e-7
#: of it between batches, and distances are kept in float32 to seven digits.
ROUNDING, DIGITS = 1e-6, 7
#: What share of a cell's bound the next text leaves, before any token was tried; counts as one text.
FIRST_GUESS = 0.3


class ScoreBounds:
    """The distances known so far of every token, and what they leave open."""

    def __init__(
        self,
        scorer: PublishedScorer,
        tokens: Sequence[str],
        slots: npt.NDArray[np.uint16],
        bare: Float64Array,
    ) -> None:
        """Begin with bounds from the untouched pairs and the bare tokens.

        :param scorer: The pairs of the score.
        :param tokens: Texts of all tokens.
        :param slots: Where their copies go, `(tokens, pairs, copies)`.
        :param bare: 1 - cosine of each token by itself and sentence 1 of each pair, `(tokens, pairs)`.
        """
        self._scorer, self._tokens, self._slots, self._bare = scorer, tokens, slots, bare
        pairs, copies = slots.shape[1:]
        self._cells = [(p, mode) for p in range(pairs) for mode in Mode]
        self._weights = np.array([MODE_WEIGHTS[mode] for _, mode in self._cells]) / pairs
        self._pairs = np.array([p for p, _ in self._cells])
        self._order = _order(copies)
        lengths = np.array([len(ids) for ids in scorer.encoder.tokenize([p.sentence2 for p in scorer.pairs])])
        #: Tokens of a text, about: `(cells, texts tried before)`.
        self._cost = lengths[self._pairs][:, None] + np.array(self._order)
        shape = (len(tokens), len(self._cells))
        self._distances = np.full((*shape, copies + 1), np.nan, dtype=np.float32)
        self._distances[..., 0] = scorer.start[self._pairs]
        self._tried = np.zeros(shape, dtype=np.int64)
        self._risen = np.zeros(shape, dtype=np.int64)
        self._bounds = np.empty(shape)
        for cell, pair in enumerate(self._pairs):
            known = self._distances[:, cell].astype(np.float64)
            self._bounds[:, cell] = cell_upper_bounds(known, self._bare[:, pair], ROUNDING)
        #: Sum and number of the shares of a bound that were left: `(cells, texts tried before, rise known)`.
        self._left = np.full((len(self._cells), copies, 2), FIRST_GUESS)
        self._seen = np.ones_like(self._left)

    def totals(self, places: Sequence[int]) -> list[float]:
        """Return upper bounds of the scores of some tokens.

        :param places: Their places in the list of all.
        """
        totals: list[float] = (self._bounds[list(places)] @ self._weights).tolist()
        return totals

    def next_texts(self, places: Sequence[int]) -> tuple[list[int], list[float]]:
        """Return for each token the cell whose next text promises most for its cost, and what it promises.

        :returns: The cells, and by how much each would lower the token's bound; 0 if all texts were tried.
        """
        where = np.asarray(places)
        every = np.arange(len(self._cells))
        tried = self._tried[where]
        step = np.minimum(tried, len(self._order) - 1)
        left = (self._left / self._seen)[every, step, self._risen[where]]
        gains = np.where(tried < len(self._order), self._bounds[where] * self._weights * (1 - left), 0)
        cells = (gains / self._cost[every, step]).argmax(axis=1)
        return cells.tolist(), gains[np.arange(len(where)), cells].tolist()

    def measure(self, places: Sequence[int], cells: Sequence[int]) -> list[float]:
        """Return the distances of the next text of each token's cell, encoded together."""
        texts = []
        for k, cell in zip(places, cells, strict=True):
            pair, mode = self._cells[cell]
            slots = self._slots[k, pair, : self._order[self._tried[k, cell]]].tolist()
            texts.append(modified_text(self._tokens[k], self._scorer.pairs[pair].sentence2, mode, slots))
        distances = self._scorer.distances(texts, self._pairs[list(cells)].tolist())
        rounded: list[float] = distances.round(DIGITS).tolist()
        return rounded

    def learn(self, places: Sequence[int], cells: Sequence[int], distances: Sequence[float]) -> None:
        """Take in what `measure` returned."""
        at = np.asarray(places), np.asarray(cells)
        tried, risen, before = self._tried[at], self._risen[at], self._bounds[at]
        self._distances[(*at, np.array(self._order)[tried])] = distances
        known = self._distances[at].astype(np.float64)
        after = cell_upper_bounds(known, self._bare[at[0], self._pairs[at[1]]], ROUNDING)
        np.add.at(self._left, (at[1], tried, risen), after / before)
        np.add.at(self._seen, (at[1], tried, risen), 1)
        self._bounds[at] = after
        self._risen[at] = (known_rises(known, ROUNDING) > 0).any(axis=1)
        self._tried[at] += 1


def _order(copies: int) -> list[int]:
    """Return the numbers of copies in the order they are tried.

    The last distance fixes falls minus rises, the first is as likely as any to show a rise, and one in the
    middle of a gap gives two more chances to see one.
    """
    first = [copies, 1, copies // 2, copies // 4, 3 * copies // 4]
    return list(dict.fromkeys(i for i in (*first, *range(1, copies + 1)) if i > 0))
