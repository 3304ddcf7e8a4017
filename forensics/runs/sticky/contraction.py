"""The method `contraction` of `sticky` as a run: sentences in, table columns and summary out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forensics.runs.sticky.inputs import SentenceSet
from forensics.runs.sticky.measured import Measured, Task
from forensics.schema.sticky import (
    BandSummary,
    ProbeSetSummary,
    RetrievalSummary,
    ScreenSummary,
    StickyOptions,
    StickySummary,
)
from forensics.sources.texts.sentences import retrieval_set
from forensics.sticky.available import reachable_tokens
from forensics.sticky.contraction_table import contraction_columns, damage_columns
from forensics.sticky.effects import attention_of, retrieval_of, scatter_of
from forensics.sticky.find_by_contraction import ContractionPlan, ContractionResult, find_by_contraction
from forensics.sticky.interface import Encoder
from forensics.sticky.ordinary import LEAST_EFFECT, SPREADS
from forensics.sticky.probes import ProbeSet, build_probe_set
from forensics.sticky.retrieval import RetrievalTrial

__all__ = ["PROBES", "SCREEN_PROBES", "probe_sets", "run_contraction"]

#: Probes of the full measurement, each with three modes: 48 encodes a token and set.
PROBES = 16
#: Probes of the screen, one mode each. On 300 random tokens of all-MiniLM-L6-v2, six probes with the modes
#: in turn rank tokens like the full measurement on other sentences does (Spearman 0.87), two probes with
#: all three modes, the same cost, less so (0.78).
SCREEN_PROBES = 6
#: Sticky tokens shown as scatter plots.
SCATTER_TOKENS = 5


def run_contraction(task: Task, summary: StickySummary) -> Measured:
    """Measure, with an interrupted run's results taken up, and look at what was found.

    :param summary: With what both methods say of a run.
    """
    options, encoder = task.options, task.encoder
    sets = probe_sets(encoder, task.texts.sets, options, task.seed)
    available = [i for i in reachable_tokens(task.vocabulary) if i < encoder.rows]
    result = find_by_contraction(
        encoder,
        sets,
        task.u,
        _plan(options, available, task.seed),
        screen_encoder=task.screen,
        recall=task.journal.recall,
        keep=task.journal.keep,
        progress=task.progress,
    )
    columns = contraction_columns(result, encoder.rows)
    # Ordinary tokens are the random sample less whatever was found, in random order.
    calm = [i for i in result.sample if not result.findings[i].sticky]
    ordinary = [int(i) for i in np.random.default_rng([task.seed, 1]).permutation(calm)]
    summary = _filled(summary, result, options, len(available))
    if result.sticky and options.effects:
        retrieval = _retrieval(task, result.sticky, ordinary)
        columns = columns.join(damage_columns(retrieval, encoder.rows))
        attention = attention_of(encoder, sets[0], result.sticky, ordinary, options.insertions, task.progress)
        summary = replace(summary, retrieval=retrieval, attention=attention)
    median = sorted(calm, key=lambda i: abs(result.findings[i].effect.effect))[:1]
    shown = [*(("sticky", i) for i in result.sticky[:SCATTER_TOKENS]), *(("ordinary", i) for i in median)]
    summary = replace(
        summary,
        scatter=scatter_of(encoder, sets[0], shown),
        sets=tuple(
            ProbeSetSummary(given.name, len(each.contents), PROBES, SCREEN_PROBES)
            for given, each in zip(task.texts.sets, sets, strict=True)
        ),
        notes=tuple(_notes(options)),
    )
    return Measured(columns, summary)


def probe_sets(
    encoder: Encoder, sets: tuple[SentenceSet, SentenceSet], options: StickyOptions, seed: int
) -> tuple[ProbeSet, ProbeSet]:
    """Return the probes to find on and those to confirm on."""
    first, second = (
        build_probe_set(
            encoder,
            given.sentences,
            name=given.where,
            copies=options.insertions,
            probes=PROBES,
            screen_probes=SCREEN_PROBES,
            seed=2 * seed + which,
        )
        for which, given in enumerate(sets)
    )
    return first, second


def _plan(options: StickyOptions, available: list[int], seed: int) -> ContractionPlan:
    return ContractionPlan(
        available=available,
        requested=options.tokens,
        shortlist=options.shortlist,
        minimum_effect=options.minimum_effect,
        sample=options.ordinary_sample,
        seed=seed,
    )


def _retrieval(task: Task, sticky: tuple[int, ...], ordinary: list[int]) -> RetrievalSummary:
    data = retrieval_set()
    return retrieval_of(
        RetrievalTrial(task.encoder, data.queries, data.documents, data.relevant),
        sticky,
        ordinary,
        task.options.insertions,
        recall=task.journal.recall,
        keep=task.journal.keep,
        progress=task.progress,
    )


def _filled(
    summary: StickySummary, result: ContractionResult, options: StickyOptions, available: int
) -> StickySummary:
    """Return the summary with the method's numbers."""
    quantiles = np.quantile(result.ordinary[0].effects, [0.05, 0.5, 0.95, 0.99]).tolist()
    findings = result.findings.values()
    return replace(
        summary,
        available=available,
        shortlisted=len(result.shortlisted),
        sticky=len(result.sticky),
        found_before_confirmation=sum(finding.confirmation_q is not None for finding in findings),
        minimum_effect=result.minimum_effect,
        minimum_effect_from=_origin_of_minimum(result, options),
        false_discovery_rate=ContractionPlan.false_discovery_rate,
        ordinary_slope=tuple(float(ordinary.slopes.mean()) for ordinary in result.ordinary),
        ordinary_slope_error=tuple(ordinary.error for ordinary in result.ordinary),
        ordinary_sample=len(result.sample),
        ordinary_spread=result.spread,
        ordinary_effects=dict(zip(("q05", "median", "q95", "q99"), quantiles, strict=True)),
        screen=_screen(result),
    )


def _origin_of_minimum(result: ContractionResult, options: StickyOptions) -> str:
    """Say which rule set the least effect that counts."""
    if options.minimum_effect is not None:
        return "given by the user"
    if result.minimum_effect > LEAST_EFFECT:
        return f"{SPREADS:g} standard deviations of the ordinary tokens"
    return "the least that a user notices"


def _screen(result: ContractionResult) -> ScreenSummary:
    """Return how the screen agrees with the full measurement, and what it lets slip."""
    summary = ScreenSummary(sample=len(result.sample), spearman=result.screen_agreement())
    recall = result.recall
    if recall is None:
        return summary
    return replace(
        summary,
        found_below_the_bar=sum(band.sticky for band in recall.bands),
        bands=tuple(
            BandSummary(band.low, band.high, band.tokens, band.measured, band.mean, band.largest, band.sticky)
            for band in recall.bands
        ),
        slipped_by_error=recall.slipped_by_error,
        slipped_by_draws=recall.slipped_by_draws,
        expected_missed=recall.expected_missed,
        missed_at_most=recall.missed_at_most,
        recall=result.share_found(recall.expected_missed),
        recall_at_least=result.share_found(max(recall.missed_at_most, recall.expected_missed)),
    )


def _notes(options: StickyOptions) -> list[str]:
    notes = [
        "Tokens are inserted by id. A text can hold the same run of ids only for tokens that some text "
        "produces; tokens that none produces are left out unless asked for by their id.",
        "The false-discovery rate holds for the model and this kind of probes; the probes are a sample of "
        "sentences, the tokens are all there are.",
    ]
    if options.tokens is not None:
        notes.append(
            "Only some tokens were asked for: slopes and effects are those of a full run, q-values are over "
            "the tokens measured here, so that a verdict close to the border may differ."
        )
    return notes
