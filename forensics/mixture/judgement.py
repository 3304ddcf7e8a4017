"""What every inference asks of its categories, and when its estimate should not be believed."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.errors import BadInputError
from forensics.mixture.pretokens import PretokenCounts

__all__ = ["MOST_DISAGREEMENT", "MOST_MERGES", "MOST_UNEXPLAINED", "check_categories", "doubts_about"]

#: The most merges used, unless more are asked for.
MOST_MERGES = 30_000
#: A share of the list's counts unexplained above this, or estimates of two halves of the list further
#: apart than this (total variation), are no estimate. Both are judgement and not calibrated: of the released
#: tokenizers in results/mixtures all but one stay below 0.25 on both counts. The exception is what Llama 3
#: added to GPT-4's list, with 0.31 and 0.35, for which the text there is too thin.
MOST_UNEXPLAINED = 0.5
MOST_DISAGREEMENT = 0.3


def check_categories(categories: Sequence[PretokenCounts]) -> None:
    """Refuse categories that cannot be told apart.

    :raises BadInputError: If they are empty, equal or fewer than two.
    """
    if len(categories) < 2:
        raise BadInputError(
            "the categories", f"{len(categories)} given", "proportions need two or more categories"
        )
    seen: dict[int, str] = {}
    for category in categories:
        if not category.words:
            raise BadInputError(f"category {category.name}", "no text in it", "give text, or leave it out")
        key = hash((category.nbytes, frozenset(category.words.items())))
        if key in seen:
            raise BadInputError(
                f"categories {seen[key]} and {category.name}",
                "hold the same text",
                "leave one out: shares of equal texts cannot be told apart",
            )
        seen[key] = category.name


def doubts_about(
    unexplained: float, disagreement: float, missing: int, used: int, what: str = "merges"
) -> list[str]:
    """Return why an estimate should not be believed; empty if nothing speaks against it.

    :param unexplained: Share of the expected counts that no mixture supplies.
    :param disagreement: Total variation between the estimates of two parts of the list.
    :param missing: How many of those used occur in no text.
    :param used: How many were used.
    :param what: What they are.
    """
    doubts = []
    if unexplained > MOST_UNEXPLAINED:
        doubts.append(
            f"{unexplained:.0%} of the expected counts are missing from every mixture of these texts"
        )
    if disagreement > MOST_DISAGREEMENT:
        doubts.append(
            f"the early and the late {what} give estimates that differ about {disagreement:.0%} of the text"
        )
    if missing > MOST_UNEXPLAINED * used:
        doubts.append(f"{missing:,} of {used:,} {what} occur in none of the texts")
    return doubts
