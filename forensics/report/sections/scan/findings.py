"""What a scan found wrong, finding by finding."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report.declared import bound_sign, records
from forensics.report.results import Record, Results
from forensics.report.sections.scan.model import CAN_WIN, sizes_differ
from forensics.report.sections.scan.remarks import controls_sentence
from forensics.report.sections.shared.findings import ROLES_DIFFER, UNREACHABLE, never_produced, roles_differ
from forensics.report.wording import full_stop, spaced
from forensics.schema.finding import Evidence, Finding, Level, Rule, sorted_findings
from forensics.schema.scan import ScanSummary
from forensics.schema.words import Category, Role

__all__ = ["RULES", "findings"]

_UNDERTRAINED = Rule(
    "undertrained-token",
    Level.WARNING,
    "The model cannot repeat the token, and ordinary text does not clear it: it was hardly ever trained.",
    "Keep it from reaching the model, or train its row; a note where the entry is no ordinary text.",
)
_CLEARED = Rule(
    "fails-prompts-only",
    Level.NOTE,
    "The model cannot repeat the token on demand, but predicts it in ordinary text: it knows it.",
    "None is needed.",
)
_UNSUITABLE = Rule(
    "prompts-unsuitable",
    Level.WARNING,
    "The model does not repeat well-trained tokens either, so that no verdict counts.",
    "Rank by the indicator, or give the model a chat template that it follows.",
)
_PAST = Rule(
    "row-past-vocabulary",
    Level.ERROR,
    "A row past the tokenizer's vocabulary can win the argmax: an id without a token can be generated.",
    "Mask the rows past the vocabulary, or cut them off.",
)
_SIZES = Rule(
    "sizes-differ",
    Level.NOTE,
    "Configuration, matrix and tokenizer differ in size.",
    "Make sure that the tokenizer belongs to the model.",
    ("vocab_size",),
)
_NOT_FINITE = Rule(
    "row-not-finite",
    Level.ERROR,
    "A row of the matrix holds NaN or infinities.",
    "Load the file again from its source; if it is so there, replace the row.",
)
_ZERO = Rule(
    "row-of-zeros",
    Level.WARNING,
    "The row of a token is zero, or as good as zero.",
    "Keep the token from reaching the model, or train its row.",
)
#: Every rule.
RULES = (_UNDERTRAINED, _CLEARED, _UNSUITABLE, _PAST, _SIZES, _NOT_FINITE, _ZERO, ROLES_DIFFER, UNREACHABLE)


def findings(results: Results[ScanSummary]) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first; under-trained tokens by rank."""
    own = (*_sizes(results), *_rows(results), *_prompted(results))
    return sorted_findings([*own, *roles_differ(results), *never_produced(results)])


def _sizes(results: Results[ScanSummary]) -> Iterator[Finding]:
    """Yield whether the three sizes differ, and what the rows past the vocabulary can do."""
    sizes = results.summary.sizes
    if sizes_differ(sizes):
        evidence: Evidence = {"config": sizes.config, "matrix": sizes.matrix, "tokenizer": sizes.tokenizer}
        said = ", ".join(f"{name} {size:,}" for name, size in evidence.items() if isinstance(size, int))
        yield _SIZES.found(f"the sizes differ: {said}", "sizes", evidence=evidence)
    past = sizes.past_vocabulary
    if past is not None and past.rows and past.can_win_argmax is not False:
        level = _PAST.level if past.can_win_argmax else Level.WARNING
        said = f"{past.rows:,} rows: {full_stop(CAN_WIN[past.can_win_argmax])} {past.explanation}".strip()
        yield _PAST.found(said, "past_vocabulary", level=level, evidence={"rows": past.rows})


def _rows(results: Results[ScanSummary]) -> Iterator[Finding]:
    """Yield rows that hold no number, and tokens whose row holds nothing but zeros."""
    for rule, chosen in (
        (_NOT_FINITE, results.where("row_problem", "nan", "inf")),
        (_ZERO, results.where("row_problem", "zero") & ~results.where("category", Category.UNUSED_ROW)),
    ):
        for row in records(results.tokens[chosen], ["token_id"], len(results.tokens)):
            problem = str(row["row_problem"])
            what = "zero or as good as zero" if rule is _ZERO else problem
            said = f"the row of token {row['token_id']} is {what}"
            yield _about(row, rule, rule.level, said, {"row_problem": problem})


def _prompted(results: Results[ScanSummary]) -> Iterator[Finding]:
    """Yield the tokens that the model cannot repeat, or that it repeats none."""
    found = results.summary.verification
    if found.prompts_unsuitable:
        if found.controls is not None:
            yield _UNSUITABLE.found(controls_sentence(found.controls), "prompts")
        return
    ordinary = results.ordinary | results.where("role", Role.REQUESTED)
    cleared = results.where("cleared_by_text", True)
    for rule, level, chosen in (
        (_UNDERTRAINED, Level.WARNING, ordinary & ~cleared),
        (_UNDERTRAINED, Level.NOTE, ~ordinary & ~cleared),
        (_CLEARED, Level.NOTE, cleared),
    ):
        rows = results.tokens[results.verified & chosen]
        for row in records(rows, ("rank", "token_id"), len(results.tokens)):
            highest = float(row["max_prob"])
            shown = f"max_prob {bound_sign(row)}{highest:.2g}"
            said = f"token {row['token_id']} is {spaced(str(row['verdict']))}: {shown}"
            evidence: dict[str, str | float] = {"verdict": str(row["verdict"]), "max_prob": highest}
            if results.indicator:
                evidence[results.indicator] = float(row[results.indicator])
            if rule is _CLEARED:
                said += ", and the model predicts it in ordinary text"
            yield _about(row, rule, level, said, evidence)


def _about(row: Record, rule: Rule, level: Level, message: str, evidence: Evidence) -> Finding:
    """Return a finding about the token of a row."""
    token_id, piece = int(row["token_id"]), str(row["piece"] or "")
    subject = piece or f"#{token_id}"
    return rule.found(message, subject, level=level, token_id=token_id, piece=piece, evidence=evidence)
