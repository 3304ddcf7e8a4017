"""`scan`: what is shown of a search for under-trained tokens."""

from __future__ import annotations

from collections.abc import Callable

from forensics.report.blocks import Table
from forensics.report.declared import ID, TOKEN, field, max_prob, records, table, text, verdict_badge
from forensics.report.kinds.kind import Brief, Fact, GateNumber, Kind
from forensics.report.plots.scan import draw_plots
from forensics.report.results import Results
from forensics.report.sections.scan.bigrams import bigrams, bigrams_sentence
from forensics.report.sections.scan.duplicates import duplicates
from forensics.report.sections.scan.findings import RULES, findings
from forensics.report.sections.scan.geometry import by_frequency, geometry
from forensics.report.sections.scan.headline import headline, tiles
from forensics.report.sections.scan.indicators import indicators, references
from forensics.report.sections.scan.model import model
from forensics.report.sections.scan.verification import verification
from forensics.report.sections.scan.verified import candidates, verified_tokens
from forensics.report.sections.shared.breakdown import breakdown
from forensics.report.sections.shared.counts import COUNTS, counted, tokenizer_line
from forensics.report.sections.shared.odd_tokens import byte_tokens, partial_utf8, unreachable
from forensics.report.sections.shared.run import notes, provenance
from forensics.report.sections.shared.special import special
from forensics.schema.scan import SCAN_TABLE, ScanSummary, VerificationSummary

__all__ = ["KIND"]

#: Tokens that are listed in brief.
_WORST = 10


def _subtitle(results: Results[ScanSummary]) -> str:
    shape, summary = results.summary.embedding.shape, results.summary
    sides = " × ".join(f"{side:,}" for side in shape)
    return f"{sides} {summary.embedding.dtype}, {tokenizer_line(summary.tokenizer)}"


def _brief(results: Results[ScanSummary]) -> Brief:
    """Return sizes, indicator and counts, and the worst tokens."""
    sizes, chosen = results.summary.sizes, results.summary.indicator
    named = {"config": sizes.config, "matrix": sizes.matrix, "tokenizer": sizes.tokenizer}
    facts = [Fact("sizes", ", ".join(f"{name} {size:,}" for name, size in named.items() if size))]
    if (past := sizes.past_vocabulary) is not None and past.rows:
        can = {True: "can", False: "cannot", None: "may or may not"}[past.can_win_argmax]
        rows = f"{past.rows:,} rows past the tokenizer's vocabulary {can} win the argmax"
        facts.append(Fact("past the end", rows))
    cut = f"{chosen.n_candidates:,} candidates at {chosen.percent:g} %"
    below = f"{chosen.data_driven.n_below:,} below the threshold found in the data"
    facts += [Fact("indicator", f"{chosen.name}, {cut}, {below}"), *counted(results.summary.counts)]
    if results.summary.bigrams is not None:
        facts.append(Fact("improbable pairs", bigrams_sentence(results.summary.bigrams)))
    return Brief(tuple(facts), _worst(results))


def _worst(results: Results[ScanSummary]) -> tuple[Table, ...]:
    """Return the worst tokens: verified ones if the model was run, candidates otherwise."""
    is_prompted = results.summary.verification.tested > 0
    chosen = results.verified if is_prompted else results.where("is_candidate", True)
    # Ordinary entries first: that a reserved row is untrained surprises nobody.
    preferred = chosen & results.ordinary
    if (unknown := preferred & ~results.where("cleared_by_text", True)).any():
        preferred = unknown
    rows = results.tokens[preferred if preferred.any() else chosen]
    if rows.empty or not results.has("rank"):
        return ()
    shown = table(
        "worst",
        "The most suspicious tokens.",
        records(rows, ("rank", "token_id"), _WORST),
        ID,
        TOKEN,
        field(results.indicator) if results.indicator else None,
        max_prob(digits=2) if is_prompted else None,
        field("verdict", lambda verdict: verdict_badge(verdict) if text(verdict) else None)
        if is_prompted
        else None,
        total=len(rows),
    )
    return (shown,)


def _prompted(name: str, value: Callable[[VerificationSummary], float | None]) -> GateNumber[ScanSummary]:
    """Return a number that only a run with verification establishes."""

    def of(results: Results[ScanSummary]) -> float | None:
        found = results.summary.verification
        return None if found.skipped else value(found)

    return GateNumber(name, of)


KIND = Kind(
    name="scan",
    summary=ScanSummary,
    tables=(SCAN_TABLE,),
    title=lambda results: f"{results.summary.model.rstrip('/').rsplit('/', 1)[-1]}: under-trained tokens",
    subtitle=_subtitle,
    headline=headline,
    tiles=tiles,
    # The finding, how it was found, where it lies, what else is odd, provenance.
    sections=(
        verification, verified_tokens, candidates, indicators, references, model, breakdown, special,
        byte_tokens, partial_utf8, unreachable, duplicates, bigrams, by_frequency, geometry, notes,
        provenance,
    ),
    plots=draw_plots,
    brief=_brief,
    findings=findings,
    rules=RULES,
    own_numbers=(
        _prompted("verified", lambda found: found.verified),
        _prompted("unknown_in_text", lambda found: found.unknown_in_text),
        _prompted("strong", lambda found: found.strong),
        _prompted("weak", lambda found: found.weak),
        _prompted("inconclusive", lambda found: found.inconclusive),
        _prompted("rejected", lambda found: found.rejected),
        _prompted("tested", lambda found: found.tested),
        _prompted("estimate_total", lambda found: found.estimate_total),
        GateNumber("candidates", lambda results: results.summary.indicator.n_candidates),
        GateNumber("below_threshold", lambda results: results.summary.indicator.data_driven.n_below),
        *COUNTS,
    ),
    why_missing=lambda results: results.summary.verification.skipped,
)  # fmt: skip
