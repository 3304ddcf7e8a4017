"""The verification stage of a scan: plan, probe, prompt, keep a journal, look again in ordinary text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.errors import ForensicsError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.scan.bigrams import pairs_without_model, try_pairs
from forensics.runs.scan.examined import Examined
from forensics.runs.scan.ordinary_text import OrdinaryText
from forensics.runs.scan.prompting import Prompting, load_prompting
from forensics.runs.scan.second_look import look_in_text
from forensics.runs.scan.served import check_controls, question_cost
from forensics.schema.bigrams import BigramsSummary
from forensics.schema.scan import ScanOptions
from forensics.schema.words import Interface, Role
from forensics.undertrained.probed_sample import ProbedBlock, Probing
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import SearchPlan, SearchResult
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.vocabulary.eligible import well_trained_controls
from forensics.vocabulary.verified_groups import verified_groups

if TYPE_CHECKING:
    from forensics.undertrained.second_look import SecondLook

__all__ = ["Verification", "verify_findings"]

#: Tokens of the ranking gone through one by one, unless the user says otherwise or the least number of
#: candidates is larger: minutes for a small model on a CPU. The rest is sampled and estimated.
MOST_CANDIDATES = 4000


@dataclass(frozen=True)
class Verification:
    """What verification gave, or why there was none."""

    #: The result, or None.
    result: SearchResult | None
    #: Why verification was left out, or None.
    skipped: str | None = None
    #: Control tokens.
    controls: tuple[int, ...] = ()
    #: Names of the probes, in the order they were put.
    probes: tuple[str, ...] = ()
    #: What ordinary text says of the verified tokens; None where nothing verified.
    look: SecondLook | None = None
    #: -log p of what the model was read on, a stretch each; None where the user gave no text.
    losses: tuple[npt.NDArray[np.float32], ...] | None = None
    #: Whether the model can copy improbable pairs; None where it was not asked for.
    bigrams: BigramsSummary | None = None
    #: Prompt name -> its text, the token under test marked.
    prompts: Mapping[str, str] = field(default_factory=dict)
    #: Remarks for the report.
    notes: tuple[str, ...] = ()
    #: How the model was asked, where another program runs it behind an address.
    interface: Interface | None = None


def verify_findings(
    examined: Examined,
    options: ScanOptions,
    text: OrdinaryText,
    rng: np.random.Generator,
    seed: int,
    journal: Journal,
    progress: Progress,
) -> Verification:
    """Put tokens to the model and return what it shows.

    :param examined: The sources and what the weights tell.
    :param options: What is asked for; a model that cannot be run is an error if `verify` is True, else the
        reason is returned.
    :param text: Ordinary text, in which verified tokens are looked at again, and what is read of it.
    :param rng: The run's generator.
    :param seed: The run's seed, for what has a generator of its own.
    :param journal: What an interrupted run had verified.
    :param progress: Where to report.
    :raises ForensicsError: If the model has to be run and cannot be.
    """
    try:
        prompting = load_prompting(examined, options, rng, progress)
    except ForensicsError as error:
        # Who says how the model is to be run wants it run.
        if options.verify or options.endpoint is not None or options.runtime != "transformers":
            raise
        asked = options.bigrams is not None
        return Verification(
            None, skipped=str(error), bigrams=pairs_without_model(str(error)) if asked else None
        )
    plan = _plan(examined, options, rng)
    probing = _probing(prompting, options, plan, journal)
    progress.note(_announcement(plan, probing))
    known = {evidence.token_id: evidence for evidence in _kept_evidence(journal)}
    if prompting.served is not None:
        progress.note(question_cost(prompting.served, plan, probing, known))
        check_controls(prompting, plan.controls, known)
    result = search_down(
        prompting.verifier.verify,
        plan,
        rng,
        probing=probing,
        known=known,
        on_result=lambda evidence: journal.keep(str(evidence.token_id), evidence.to_json()),
        progress=progress,
    )
    notes = prompting.notes
    if result.prompts_unsuitable:
        notes += (
            f"The model produced only {result.controls_passed:.0%} of {len(plan.controls)} well-trained "
            "control tokens: the prompts do not suit it, and the verdicts say little about the tokens.",
        )
    return Verification(
        result,
        controls=tuple(plan.controls),
        probes=prompting.probes,
        look=look_in_text(prompting, text, result, rng, progress),
        losses=_losses(prompting, text, progress),
        bigrams=None
        if options.bigrams is None
        else try_pairs(examined, prompting, options.bigrams, seed, journal, progress),
        prompts=prompting.texts,
        notes=notes,
        interface=None if prompting.served is None else prompting.served.interface,
    )


def _losses(
    prompting: Prompting, text: OrdinaryText, progress: Progress
) -> tuple[npt.NDArray[np.float32], ...] | None:
    """Return what the model loses on the stretches of a text.

    None where there are none, or where another program runs the model and shows only what it would say.
    """
    from forensics.undertrained.loss_by_count import read_losses

    if not text.stretches or prompting.model is None:
        return None
    room = None if prompting.positions is None else prompting.positions - len(prompting.start)
    with progress.stage("losses in text"):
        stretches = [stretch[:room] for stretch in text.stretches]
        return tuple(read_losses(prompting.model, stretches, prompting.start))


def _kept_evidence(journal: Journal) -> Iterator[TokenEvidence]:
    """Yield what an interrupted run had verified; what a crash has damaged is verified again."""
    for entry in journal.kept():
        try:
            yield TokenEvidence.from_json(entry)
        except (KeyError, TypeError, ValueError):
            continue


def _kept_blocks(journal: Journal) -> Iterator[ProbedBlock]:
    """Yield what an interrupted run had probed; what a crash has damaged is probed again."""
    for entry in journal.kept():
        try:
            yield ProbedBlock.from_json(entry)
        except (KeyError, TypeError, ValueError):
            continue


def _plan(examined: Examined, options: ScanOptions, rng: np.random.Generator) -> SearchPlan:
    """Return what is to be verified."""
    ranking = examined.ranking()
    controls = well_trained_controls(examined.vocabulary, ranking, rng)
    if options.tokens is not None:
        controls = [i for i in controls if i not in options.tokens]
        return SearchPlan((), 0, controls=controls, extra={Role.REQUESTED: options.tokens}, audit_sample=0)
    text = examined.vocabulary.text
    return SearchPlan(
        ranking=ranking.tolist(),
        least=len(examined.findings.candidates),
        most=MOST_CANDIDATES if options.max_candidates is None else options.max_candidates,
        controls=controls,
        extra=verified_groups(examined.vocabulary, examined.findings.is_representative, rng),
        audit_sample=options.audit_sample,
        lettered=frozenset(i for i in ranking.tolist() if any(map(str.isalnum, text[i] or ""))),
    )


def _probing(
    prompting: Prompting, options: ScanOptions, plan: SearchPlan, journal: Journal
) -> Probing | None:
    """Return how what lies below the candidates is probed; None where only named tokens are wanted.

    Without a probe that the model can be given there is none either: strata of the rest are verified.
    """
    if not plan.ranking or not prompting.probes:
        return None
    rest = len(plan.ranking) - plan.least
    sample = None
    if not options.census:
        sample = options.estimate_tokens or prompting.sample_size(rest)
    return Probing(
        prompting.verifier.probe,
        prompting.verifier.verify_past_probes,
        sample=None if sample is None or sample >= rest else sample,
        known={block.tokens[0]: block for block in _kept_blocks(journal) if block.tokens},
        on_block=lambda block: journal.keep(f"probed {block.tokens[0]}", block.to_json()),
    )


def _announcement(plan: SearchPlan, probing: Probing | None) -> str:
    """Return what is going to be done, before anything of it is."""
    first = len(plan.controls) + plan.least + sum(map(len, plan.extra.values()))
    said = f"Verifying {first:,} tokens by prompting, and more as long as they verify; "
    if probing is not None:
        rest = len(plan.ranking) - plan.least
        drawn = "all" if probing.sample is None else f"{probing.sample:,} random ones"
        said = (
            f"Probing {drawn} of {rest:,} tokens below the candidates, then verifying {first:,} tokens and "
            "what the probes leave open; "
        )
    return f"{said}interrupt at any time, the same command continues."
