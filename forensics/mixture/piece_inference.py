"""The mixture behind a vocabulary that has no merges: Unigram by its scores, WordPiece by its order.

Unigram. EM fits the pieces' probabilities to the training text, so that at its end the expected count of
every piece in that text is in proportion to exp(score): with W (T x n) the expected counts of the pieces in
every category's text, W alpha lies on the curve exp(score), of which only the size is unknown. Trainers
write digamma(count) for log(count), which lowers the rarest pieces by half an occurrence, and take the
scores before the last pruning: both are small against other text's other words.

WordPiece as BERT has it. The vocabulary stands in the order of frequency: W alpha, with W the counts of the
pieces under the tokenizer's own longest matches, lies on one decreasing curve over ranks.

Both are fitted with the misfit of `curve`. There is no published method to compare with; the benchmark is
benchmarks/mixture_pieces.py. What is left out: SentencePiece's sampling of training sentences is taken to
be blind to the category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.mixture.curve import CurveFit, fit_curve
from forensics.mixture.judgement import MOST_MERGES, check_categories, doubts_about
from forensics.mixture.pair_evidence import effective_counts, usable_merges
from forensics.mixture.piece_counts import (
    LongestMatchCounter,
    PieceCounter,
    PieceCounts,
    UnigramCounter,
)
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.residual import UnexplainedMerge, shortfall
from forensics.mixture.result import Mixture, Reading
from forensics.progress import Progress

__all__ = ["PieceList", "infer_from_pieces"]

FloatArray = npt.NDArray[np.float64]

#: Share of a category's tokens that must be explained pieces for its share to be told from their order.
LEAST_EXPLAINED = 0.1
#: Pieces of the first look, from which the number of usable ones is found.
FIRST_LOOK = 3_000


@dataclass(frozen=True, eq=False)
class PieceList:
    """The pieces that a vocabulary's model matches, the most frequent first."""

    #: What is read of them.
    reading: Reading
    #: As spelt in the vocabulary, T of them.
    pieces: tuple[str, ...]
    #: Log-probabilities, falling, shape (T,); of no meaning where the order is read.
    scores: FloatArray
    #: Whether a piece is matched and not explained, shape (T,): training did not choose it or its place.
    aside: npt.NDArray[np.bool_]

    @cached_property
    def counter(self) -> PieceCounter:
        """What counts the pieces in text as the vocabulary's own model does."""
        if self.reading is Reading.SCORES:
            return UnigramCounter(self.pieces, self.scores)
        return LongestMatchCounter(self.pieces)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The pieces in the fit."""

    #: Their places in the list, shape (S,).
    at: npt.NDArray[np.int64]
    #: Counts by category, per byte, shape (S, n).
    W: FloatArray
    #: What is known of the curve, shape (S,); None where only that it falls.
    form: FloatArray | None

    def fit(self, chosen: slice = slice(None)) -> CurveFit:
        """Return the fit to some of them."""
        form = None if self.form is None else self.form[chosen]
        nothing = np.empty((0, self.W.shape[1]))
        return fit_curve(self.W[chosen], nothing, steps=self.at[chosen], form=form)


def infer_from_pieces(
    categories: Sequence[PretokenCounts],
    pieces: PieceList,
    most: int | None = None,
    baselines: bool = False,
    progress: Progress | None = None,
    explain: int = 20,
) -> Mixture:
    """Return the mixture of categories that best explains how frequent the pieces are.

    :param categories: Counted text of every category, cut as the tokenizer cuts.
    :param pieces: The pieces.
    :param most: Pieces used, the most frequent; None: as many as the text can tell something about.
    :param baselines: Give the source's baselines too.
    :param progress: Where to report.
    :param explain: How many of the worst pieces are named.
    :raises BadInputError: If categories are empty, equal or fewer than two, or too few pieces occur.
    """
    progress = progress or Progress()
    check_categories(categories)
    with progress.stage("count pieces", len(categories), "categories") as stage:
        counted = []
        for category in categories:
            counted.append(pieces.counter.count(category.words))
            stage.advance()
    sizes = np.array([category.nbytes for category in categories], dtype=np.float64)
    whole = np.stack([part.pieces for part in counted], axis=1) / sizes
    asked = np.flatnonzero(~pieces.aside)
    names = [category.name for category in categories]
    seen, notes = np.arange(len(names)), tuple[str, ...]()
    if pieces.reading is Reading.RANKS:
        seen, notes = _seen(whole[asked].sum(axis=0) * sizes, counted, names)
    with progress.stage("fit"):
        asked, few = _usable(whole[:, seen], sizes[seen], asked, pieces, most)
        rows = _rows(whole[:, seen], asked, pieces)
        fit = rows.fit()
    short = shortfall(fit.counts, fit.curve)
    unexplained_share = float((short * fit.curve).sum() / max(fit.curve.sum(), 1e-300))
    disagreement = _disagreement(rows)
    missing = np.setdiff1d(asked, rows.at)
    effective = effective_counts(rows.W, sizes[seen], fit.alpha)
    shares = np.zeros(len(names))
    shares[seen] = fit.alpha
    return Mixture(
        proportions=dict(zip(names, shares.tolist(), strict=True)),
        method=pieces.reading,
        merges_used=len(asked),
        skipped=0,
        missing_merges=len(missing),
        missing_steps=tuple(missing[:explain].tolist()),
        steps=rows.at,
        counts=fit.counts,
        curve=fit.curve,
        unexplained_share=unexplained_share,
        slack=None,
        slack_gap=None,
        least_expected=float(np.median(effective[-max(1, len(effective) // 50) :])),
        disagreement=disagreement,
        misfit=fit.misfit,
        unexplained=_unexplained(pieces, rows, fit, explain),
        doubts=tuple(doubts_about(unexplained_share, disagreement, len(missing), len(asked), "pieces")),
        notes=(*notes, *few),
        baselines=_baselines(names, counted, whole, sizes) if baselines else {},
    )


def _seen(
    explained: FloatArray, counted: Sequence[PieceCounts], names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return which categories the pieces can tell anything about, and what is said of the others.

    Text that falls into letters and unknown tokens leaves a handful of foreign words, which any share fits.

    :param explained: Tokens of each category that are explained pieces, shape (n,).
    """
    share = explained / np.array([max(1.0, part.tokens) for part in counted])
    seen = np.flatnonzero(share >= LEAST_EXPLAINED)
    if len(seen) < 2:
        raise BadInputError(
            "the vocabulary",
            f"it spells nearly all text of {len(names) - len(seen)} of {len(names)} categories in letters",
            "give text of the kind that it was made for",
        )
    away = [name for at, name in enumerate(names) if at not in set(seen.tolist())]
    if not away:
        return seen, ()
    return seen, (
        f"the vocabulary spells nearly all text of {', '.join(away)} in letters or not at all: none of it",
    )


def _rows(whole: FloatArray, asked: npt.NDArray[np.int64], pieces: PieceList) -> _Rows:
    """Return those of the pieces asked for that occur in some text."""
    at = asked[whole[asked].sum(axis=1) > 0]
    form = np.exp(pieces.scores[at]) if pieces.reading is Reading.SCORES else None
    return _Rows(at, whole[at], form)


def _usable(
    whole: FloatArray, sizes: FloatArray, asked: npt.NDArray[np.int64], pieces: PieceList, most: int | None
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return the pieces that the text can tell something about, or as many as were asked for."""
    if len(asked) == 0:
        raise BadInputError("the vocabulary", "no piece in it to explain", "give a trained tokenizer")
    if most is not None:
        return asked[:most], ()
    asked = asked[:MOST_MERGES]
    first = _rows(whole, asked[:FIRST_LOOK], pieces).fit()
    usable = max(usable_merges(whole[asked], sizes, first.alpha), min(len(asked), 4 * whole.shape[1]))
    if usable >= len(asked):
        return asked, ()
    note = (
        f"{usable:,} of {len(asked):,} pieces were used: rarer ones are expected fewer than ten times in "
        "this text (more text would allow more; asking for more overrides)"
    )
    return asked[:usable], (note,)


def _disagreement(rows: _Rows) -> float:
    """Return the total variation between the estimates from the most frequent third and from the rest."""
    third, n = len(rows.at) // 3, rows.W.shape[1]
    if third < 4 * n:
        return 0.0
    early, late = rows.fit(slice(None, third)), rows.fit(slice(third, None))
    return 0.5 * float(np.abs(early.alpha - late.alpha).sum())


def _unexplained(pieces: PieceList, rows: _Rows, fit: CurveFit, most: int) -> tuple[UnexplainedMerge, ...]:
    """Return the pieces that fall furthest short of the curve."""
    lost = (fit.curve - fit.counts) / np.sqrt(np.maximum(fit.curve, 1e-300))
    worst = [at for at in np.argsort(-lost, kind="stable")[:most].tolist() if lost[at] > 0]
    return tuple(
        UnexplainedMerge(
            int(rows.at[at]),
            (pieces.pieces[rows.at[at]],),
            float(fit.counts[at] / fit.curve[at]) if fit.curve[at] > 0 else 0.0,
            (),
        )
        for at in worst
    )


def _baselines(
    names: Sequence[str], counted: Sequence[PieceCounts], whole: FloatArray, sizes: FloatArray
) -> dict[str, dict[str, float]]:
    """Return the source's baselines: bytes per token, and the category in which each piece is commonest."""
    efficiency = sizes / np.array([max(1.0, part.tokens) for part in counted])
    seen = whole[whole.sum(axis=1) > 0]
    won = np.bincount(seen.argmax(axis=1), minlength=len(names)) / max(1, len(seen))
    return {
        "tee": dict(zip(names, (efficiency / efficiency.sum()).tolist(), strict=True)),
        "tc": dict(zip(names, won.tolist(), strict=True)),
    }
