"""How many times the tokens of a reference language another language needs for the same sentences.

Petrov et al. 2023 (arXiv 2305.15425) call it premium, others parity. The figure is a ratio of sums over
lines. The papers print other variants under the same name, so each carries its own here and two of them
are never compared: one string of all lines joined (Petrov), the mean of the sentences' ratios (TokSuite),
special tokens counted (TokSuite).

The interval is the ratio estimator's (Cochran, Sampling Techniques, section 6.4) over blocks of lines,
because neighbouring lines of FLORES come from one article and are no independent draws. It says what other
sentences of this kind would change, and nothing about other domains or translators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.auditing.encoded_text import sequence_lengths
from forensics.errors import BadInputError

if TYPE_CHECKING:
    import tokenizers

__all__ = [
    "BLOCK_LINES",
    "JOINED",
    "LINES",
    "MEAN_OF_RATIOS",
    "Ratio",
    "gini",
    "joined_ratio",
    "mean_of_ratios",
    "ratio_of_sums",
    "require_same_variant",
]

Int64Array = npt.NDArray[np.int64]

#: Consecutive lines taken as one draw. FLORES has runs of 3 to 6 lines from one article; on it 5 lines
#: widen the interval by about a tenth and longer blocks hardly more (benchmarks/audit_published.py).
BLOCK_LINES = 5
#: Two-sided 95 % of the normal distribution.
_NORMAL = 1.959963984540054
#: Fewer blocks say nothing about their spread.
FEWEST_BLOCKS = 8

LINES = "sum_ratio/lines/no_specials"
JOINED = "sum_ratio/joined/no_specials"
MEAN_OF_RATIOS = "mean_of_ratios/lines/no_specials"


@dataclass(frozen=True)
class Ratio:
    """A ratio of two token counts on the same text, and how far to trust it."""

    #: The ratio.
    value: float
    #: 95 % interval, or None where there are too few lines for one.
    interval: tuple[float, float] | None
    #: How it was computed; only ratios of the same variant may be compared.
    variant: str


def ratio_of_sums(
    tokens: Int64Array, reference: Int64Array, variant: str = LINES, block: int = BLOCK_LINES
) -> Ratio:
    """Return `sum(tokens) / sum(reference)` with its interval over blocks of lines.

    :param tokens: Tokens of every line, shape (m,).
    :param reference: Tokens of the same lines in the other language or by the other tokenizer, shape (m,).
    :param variant: What to call the figure.
    :param block: Consecutive lines that count as one draw.
    :raises BadInputError: If the two differ in length or the reference has no tokens.

    >>> ratio_of_sums(np.array([3, 5]), np.array([2, 2])).value
    2.0
    """
    if len(tokens) != len(reference):
        raise BadInputError(
            "the token counts",
            f"{len(tokens):,} lines against {len(reference):,}",
            "count both on the same lines",
        )
    total = int(reference.sum())
    if not total:
        raise BadInputError("the reference text", "it has no tokens at all", "give a text that is not empty")
    value = float(tokens.sum() / total)
    first = np.arange(0, len(tokens), block)
    blocks = len(first)
    if blocks < FEWEST_BLOCKS:
        return Ratio(value, None, variant)
    residuals = np.add.reduceat(tokens - value * reference, first)
    error = float(np.sqrt((residuals**2).sum() * blocks / (blocks - 1)) / total)
    return Ratio(value, (value - _NORMAL * error, value + _NORMAL * error), variant)


def joined_ratio(
    encoder: tokenizers.Tokenizer, lines: Sequence[str], reference: Sequence[str], between: str = " "
) -> Ratio:
    """Return the ratio for all lines joined to one string, as Petrov et al. count.

    The tokens across line ends make it another figure: GPT-2 gives Japanese 3.003 joined and 2.965 by lines.

    :param between: What is put between two lines.
    """
    tokens, base = sequence_lengths(encoder, [between.join(lines), between.join(reference)]).tolist()
    return Ratio(tokens / base, None, JOINED)


def mean_of_ratios(tokens: Int64Array, reference: Int64Array) -> Ratio:
    """Return the mean of the lines' ratios, lines without reference tokens left out (TokSuite's parity)."""
    kept = reference > 0
    return Ratio(float((tokens[kept] / reference[kept]).mean()), None, MEAN_OF_RATIOS)


def gini(tokens: Mapping[str, Int64Array]) -> float:
    """Return the Gini coefficient over languages of the tokens per line: 0 where all need the same.

    Not per byte: that would count the width of a script in UTF-8 against those who write in it.

    :param tokens: Language -> tokens of every line, the same lines for all.
    """
    costs = np.array([lengths.mean() for lengths in tokens.values()])
    spread = np.abs(costs[:, None] - costs[None, :]).sum()
    return float(spread / (2 * len(costs) ** 2 * costs.mean()))


def require_same_variant(first: Ratio, second: Ratio) -> None:
    """Refuse to compare figures that were computed differently.

    :raises BadInputError: If the variants differ, naming both.
    """
    if first.variant != second.variant:
        raise BadInputError(
            "the comparison",
            f"one ratio is {first.variant} and the other {second.variant}",
            "compute both in the same way",
        )
