"""What prompting the model showed: counts with their uncertainty, the plot, and the verified tokens."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.report.blocks import (
    Block,
    Cell,
    Code,
    Facts,
    FigureBlock,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
)
from forensics.report.headline import interval_text
from forensics.report.results import Results
from forensics.report.sections.common import full_stop
from forensics.report.sections.verification_remarks import remarks

__all__ = ["verification"]


def verification(results: Results) -> Section | None:
    """Return the section on prompting; a run without it gets the reason instead."""
    found = results.get("verification")
    if found is None:
        return None
    if not results.get("verification.tested"):
        reason = results.get("verification.skipped") or "verification was switched off"
        return Section(
            "verification", "Verification by prompting", (Paragraph(full_stop(f"Not run: {reason}"), "warn"),)
        )
    blocks: list[Block] = [
        Paragraph(
            "Every tested token is put before the model by its id, and the model is asked to repeat it. "
            "max_prob is the highest probability it gives the token over all prompts and steps: "
            "below 0.001 is "
            "verified strongly, below 0.01 weakly, below 0.1 inconclusive, anything above "
            "clears the token: the model knows it."
        ),
        Facts(tuple(_facts(results))),
    ]
    blocks += remarks(results)
    blocks.append(
        FigureBlock(
            "verification",
            "max_prob of every tested token against its indicator (low indicator = suspicious). "
            "Untrained tokens "
            "gather at the lower left; dashed lines are the verdicts' thresholds, dotted ones the two cuts.",
        )
    )
    prompts = results.get("verification.prompts")
    if isinstance(prompts, Mapping) and prompts:
        rows = tuple(Row((name, Code(str(prompt)))) for name, prompt in prompts.items())
        blocks.append(Table("prompts", "What the model is asked.", ("prompt", "text"), rows, len(rows)))
    if isinstance(results.get("verification.by_role"), Mapping):
        blocks.append(_by_role(results.get("verification.by_role")))
    if results.get("verification.strata"):
        blocks.append(_strata(results.get("verification.strata")))
    return Section("verification", "Verification by prompting", tuple(blocks))


def _facts(results: Results) -> list[tuple[str, Cell]]:
    """Return the counts of the run."""
    names = (
        ("tested", "tested"),
        ("verified", "verified"),
        ("strong", "of these strongly (max_prob < 0.001)"),
        ("weak", "of these weakly (max_prob < 0.01)"),
        ("inconclusive", "inconclusive (< 0.1)"),
        ("rejected", "rejected: the model repeats them"),
        ("not_encodable", "could not be tested"),
        ("same_rows_as_verified", "further rows identical to a verified one"),
    )
    facts: list[tuple[str, Cell]] = [
        (label, Number(results.get(f"verification.{key}")))
        for key, label in names
        if results.get(f"verification.{key}") is not None
    ]
    estimate = results.get("verification.estimate_total")
    if estimate is not None:
        between = interval_text(results.get("verification.interval"))
        facts.append(
            (
                "estimate for all ordinary tokens",
                f"{estimate:,.0f}" + (f" (95 % interval {between})" if between else ""),
            )
        )
    alarms = results.get("verification.expected_false_alarms.value")
    if alarms is not None:
        between = interval_text(results.get("verification.expected_false_alarms.interval"))
        facts.append(
            ("of these false alarms, by the floor", f"{alarms:,.0f}" + (f" ({between})" if between else ""))
        )
    return facts


def _by_role(by_role: Mapping[str, Mapping[str, int]]) -> Table:
    """Return how many tokens of each part of the run were tested and verified."""
    rows = []
    for role, counts in by_role.items():
        tested, verified = counts.get("tested", 0), counts.get("verified", 0)
        share = verified / tested if tested else None
        rows.append(
            Row((role.replace("_", " "), Number(tested), Number(verified), Number(share, 3, percent=True)))
        )
    return Table(
        "by-role",
        "Parts of the run: why a token was tested.",
        ("part", "tested", "verified", "share"),
        tuple(rows),
        len(rows),
    )


def _strata(strata: list[Mapping[str, int]]) -> Table:
    """Return what random samples of the rest of the ranking gave, from the suspicious end on."""
    rows = []
    for number, stratum in enumerate(strata, 1):
        tested, verified = stratum.get("tested", 0), stratum.get("verified", 0)
        cells = (Number(number), Number(stratum.get("size")), Number(tested), Number(verified))
        rows.append(Row((*cells, Number(verified / tested if tested else None, 3, percent=True))))
    return Table(
        "strata",
        "The ranking below the stop, in stretches of which a random sample was verified.",
        ("stretch", "tokens", "tested", "verified", "share"),
        tuple(rows),
        len(rows),
        "summary.json",
    )
