"""What the published procedure gave, as columns, and what its own figures say against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics.schema.sticky import KeptEntry
from forensics.sticky.find_as_published import PublishedResult
from forensics.sticky.insertion import Mode
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import SEED
from forensics.sticky.retokenization import share_kept
from forensics.sticky.statistics import rank_correlation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PublishedFigures", "published_columns", "published_figures", "weaknesses"]

#: Random tokens of which it is seen whether they survive being inserted as a string: a share of 14 % then has
#: a standard error of 2 points, and the texts need tokenizing only.
RETOKENIZED = 256


@dataclass(frozen=True)
class PublishedFigures:
    """How far the procedure can be believed, measured in the run itself."""

    #: Spearman's coefficient of score and validation value, over the tokens validated.
    rank_correlation: float | None
    #: Share of the shortlist that the fence cuts off; None without a verdict.
    share_beyond_fence: float | None
    #: `random`, `validated` -> share of texts that hold the token as often as it was inserted.
    kept_as_inserted: Mapping[str, KeptEntry]


def published_columns(result: PublishedResult, size: int) -> pd.DataFrame:
    """Return the columns of the method, one row per id below `size`.

    Of a run on some tokens there is no verdict: shortlist and fence are shares of the whole vocabulary.
    """
    import pandas as pd

    known = {i: score for i, score in result.scores.items() if score is not None}
    table = pd.DataFrame(index=range(size))
    table["sticky_score"] = pd.Series(known, dtype=np.float64)
    ranked = sorted(known, key=lambda i: (-known[i], i))
    table["rank"] = pd.Series({i: rank for rank, i in enumerate(ranked, 1)}, dtype="Int32")
    if result.threshold is not None:
        table["shortlisted"] = [i in result.validation for i in range(size)]
    table["validation"] = pd.Series(result.validation, dtype=np.float64)
    if result.fence is not None:
        table["sticky"] = [i in result.sticky for i in range(size)]
    return table


def published_figures(
    result: PublishedResult, scorer: PublishedScorer, available: Mapping[int, str], copies: int
) -> PublishedFigures:
    """Measure what the procedure rests on.

    :param scorer: The pairs of the score.
    :param available: Token id -> text of the tokens that survive decoding.
    :param copies: Most copies inserted.
    """
    pairs = [(s, v) for i, v in result.validation.items() if (s := result.scores[i]) is not None]
    judged = result.fence is not None and len(result.validation) > 0
    return PublishedFigures(
        rank_correlation=rank_correlation([s for s, _ in pairs], [v for _, v in pairs]),
        share_beyond_fence=len(result.sticky) / len(result.validation) if judged else None,
        kept_as_inserted=_kept_as_inserted(result, scorer, available, copies),
    )


def _kept_as_inserted(
    result: PublishedResult, scorer: PublishedScorer, available: Mapping[int, str], copies: int
) -> dict[str, KeptEntry]:
    """Return the shares for random tokens and for those that were validated."""
    rng = np.random.default_rng(SEED)
    sentences = [pair.sentence2 for pair in scorer.pairs]
    shares = {}
    for name, ids in (("random", list(available)), ("validated", list(result.validation))):
        chosen = sorted(rng.permutation(np.array(ids, dtype=np.int64))[:RETOKENIZED].tolist())
        if chosen:
            kept = share_kept(scorer.encoder, {i: available[i] for i in chosen}, sentences, copies)
            shares[name] = KeptEntry(len(chosen), kept[Mode.PREFIX], kept[Mode.SUFFIX])
    return shares


def weaknesses(figures: PublishedFigures) -> list[str]:
    """Return what speaks against this method, with the figures of this very run."""
    shares = [
        f"{each.prefix:.0%} of the prefix and {each.suffix:.0%} of the suffix texts of "
        f"{each.tokens} {name} tokens"
        for name, each in figures.kept_as_inserted.items()
    ]
    # The divisor is rises + 0.05 * number of rises + 0.01.
    notes = [
        "A token is inserted as a string and the text is tokenized anew: measured on the pairs of the score, "
        f"{' and '.join(shares)} hold the token as often as it was inserted.",
        "The score of a cell is nearly a step function: by its formula a single rise in the distances, "
        "however small, makes the divisor six times as large (0.01 to 0.06).",
    ]
    if figures.share_beyond_fence is not None:
        notes.append(
            "The fence Q3 + 0.7 IQR is drawn from the shortlist itself; of values that are normal noise it "
            f"would cut off 5.3 %. In this run it cuts off {figures.share_beyond_fence:.1%}."
        )
    if figures.rank_correlation is not None:
        notes.append(
            "Score and validation value of the tokens validated in this run correlate with Spearman "
            f"{figures.rank_correlation:.2f}."
        )
    return notes
