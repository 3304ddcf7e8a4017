"""What prompting the model showed: counts with their uncertainty, the plot, and the parts of the run."""

from __future__ import annotations

from forensics.report.blocks import Block, Cell, Code, Facts, FigureBlock, Number, Paragraph, Section, Table
from forensics.report.declared import share, table
from forensics.report.results import Results
from forensics.report.sections.scan.remarks import remarks
from forensics.report.wording import interval_text, spaced, spread
from forensics.schema.scan import ClassFloorSummary, ScanSummary, VerificationSummary
from forensics.schema.words import Interface

__all__ = ["verification", "why_not_verified"]

_HOW = (
    "Every tested token is put before the model {how}, and the model is asked to repeat it. max_prob is "
    "the highest probability it gives the token over all prompts and steps: below 0.001 is verified "
    "strongly, below 0.01 weakly, below 0.1 inconclusive, anything above clears the token: the model knows "
    "it. Verified means that the token fails the prompts; whether the model knows it from ordinary text is "
    "looked at apart, and tokens unknown there too are what to act on."
)
#: How it is put there, by `words.Interface`; a model that is run here is given ids.
_BY = {Interface.TEXT.value: "as text", Interface.CHAT.value: "in conversation"}
_SAID = (
    "Every tested token is shown to the model in conversation, and the model is asked to repeat it. The "
    "server gives no probabilities: a token is rejected where the answer begins with its text, and "
    "inconclusive where it does not, which proves nothing by itself. None can be verified."
)
_FIGURE = (
    "max_prob of every tested token against its indicator (low indicator = suspicious). Untrained tokens "
    "gather at the lower left; dashed lines are the verdicts' thresholds, dotted ones the two cuts."
)


def why_not_verified(found: VerificationSummary) -> str:
    """Return why there was no verification, without a full stop."""
    return (found.skipped or "verification was switched off").rstrip(". ")


def verification(results: Results[ScanSummary]) -> Section:
    """Return the section on prompting; a run without it gets the reason instead."""
    found, title = results.summary.verification, "Verification by prompting"
    if not found.tested:
        reason = Paragraph(f"Not run: {why_not_verified(found)}.", "warn")
        return Section("verification", title, (reason,))
    how = _HOW.format(how=_BY.get(found.interface or "", "by its id"))
    said = _SAID if found.interface == Interface.SAID.value else how
    blocks: list[Block] = [Paragraph(said), Facts(_facts(found)), *remarks(found)]
    blocks.append(FigureBlock("verification", _FIGURE))
    if found.prompts:
        columns = (("prompt", lambda prompt: prompt[0]), ("text", lambda prompt: Code(prompt[1])))
        blocks.append(table("prompts", "What the model is asked.", found.prompts.items(), *columns))
    return Section("verification", title, (*blocks, *_parts(found)))


def _facts(found: VerificationSummary) -> tuple[tuple[str, Cell], ...]:
    """Return the counts of the run."""
    facts: list[tuple[str, Cell]] = [
        ("tested", Number(found.tested)),
        ("verified: fail every prompt", Number(found.verified)),
        *_in_text(found),
        ("of these strongly (max_prob < 0.001)", Number(found.strong)),
        ("of these weakly (max_prob < 0.01)", Number(found.weak)),
        ("inconclusive (< 0.1)", Number(found.inconclusive)),
        ("rejected: the model repeats them", Number(found.rejected)),
        ("could not be tested", Number(found.not_encodable)),
        ("further rows identical to a verified one", Number(found.same_rows_as_verified)),
    ]
    details = found.estimate
    if found.estimate_total is not None:
        estimate = f"{found.estimate_total:,.0f}{spread(found.interval)}"
        counted = details is not None and details.method == "census"
        said = "verify of all ordinary tokens" if counted else "estimate for all ordinary tokens"
        facts.append((said, estimate))
    if details is not None and details.total_cleared_excluded is not None:
        without = f"{details.total_cleared_excluded:,.0f}{spread(details.interval_cleared_excluded)}"
        facts.append(("of these without those that text clears", without))
    alarms = found.expected_false_alarms
    if alarms is not None and alarms.value is not None:
        between = interval_text(alarms.interval)
        shown = f"{alarms.value:,.0f}" + (f" ({between})" if between else "")
        facts.append(("of these false alarms, by the floor", shown))
    return tuple(facts)


def _in_text(found: VerificationSummary) -> list[tuple[str, Cell]]:
    """Return what ordinary text says of the verified tokens."""
    if found.in_text is None:
        return []
    return [
        ("of the verified, unknown in ordinary text too", Number(found.unknown_in_text)),
        ("of the verified, cleared: the model predicts them in ordinary text", Number(found.in_text.cleared)),
    ]


def _floors(floors: tuple[ClassFloorSummary, ...]) -> Table:
    """Return the false-alarm floor by class."""
    return table(
        "floors",
        "Random tokens that verify, by class: alarms gather in one, so that a single share misleads.",
        floors,
        ("tokens", lambda floor: floor.name),
        ("settled", lambda floor: Number(floor.tested)),
        ("verified", lambda floor: Number(floor.verified)),
        ("share", lambda floor: share(floor.verified, floor.tested)),
        ("95 % interval", lambda floor: interval_text(floor.interval, percent=True)),
        where_rest="summary.json",
    )


def _parts(found: VerificationSummary) -> list[Block]:
    """Return how many tokens of each part of the run, and of each sample of the rest, verified."""
    blocks: list[Block] = []
    if found.by_role:
        blocks.append(
            table(
                "by-role",
                "Parts of the run: why a token was tested.",
                found.by_role.items(),
                ("part", lambda part: spaced(part[0])),
                ("tested", lambda part: Number(part[1].tested)),
                ("verified", lambda part: Number(part[1].verified)),
                ("share", lambda part: share(part[1].verified, part[1].tested)),
            )
        )
    if found.estimate is not None and found.estimate.floors:
        blocks.append(_floors(found.estimate.floors))
    if found.strata:
        blocks.append(
            table(
                "strata",
                "The ranking below the stop, in stretches of which a random sample was verified.",
                list(enumerate(found.strata, 1)),
                ("stretch", lambda stretch: Number(stretch[0])),
                ("tokens", lambda stretch: Number(stretch[1].size)),
                ("tested", lambda stretch: Number(stretch[1].tested)),
                ("verified", lambda stretch: Number(stretch[1].verified)),
                ("share", lambda stretch: share(stretch[1].verified, stretch[1].tested)),
                where_rest="summary.json",
            )
        )
    return blocks
