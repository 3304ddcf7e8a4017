"""The verification stage of a scan: load the model, plan, run, keep a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from forensics.errors import BadInputError, ForensicsError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.scan.examined import Examined
from forensics.schema.scan import ScanOptions
from forensics.schema.words import Role
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import SearchPlan, SearchResult
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.vocabulary.eligible import well_trained_controls
from forensics.vocabulary.verified_groups import verified_groups

if TYPE_CHECKING:
    from forensics.undertrained.drafted_verification import DraftedVerifier
    from forensics.undertrained.verification import Verifier

__all__ = ["Verification", "verify_findings"]

#: Tokens of the ranking gone through one by one, unless the user says otherwise or the least number of
#: candidates is larger: minutes for a small model on a CPU. The rest is sampled and estimated.
MOST_CANDIDATES = 4000
#: How the token under test is written where a prompt is shown.
SHOWN_SLOT = "⟨token⟩"


@dataclass(frozen=True)
class Verification:
    """What verification gave, or why there was none."""

    #: The result, or None.
    result: SearchResult | None
    #: Why verification was left out, or None.
    skipped: str | None = None
    #: Control tokens.
    controls: tuple[int, ...] = ()
    #: Prompt name -> its text, the token under test written as `SHOWN_SLOT`.
    prompts: Mapping[str, str] = field(default_factory=dict)
    #: Remarks for the report.
    notes: tuple[str, ...] = ()


def verify_findings(
    examined: Examined,
    options: ScanOptions,
    rng: np.random.Generator,
    journal: Journal,
    progress: Progress,
) -> Verification:
    """Put tokens to the model and return what it shows.

    :param examined: The sources and what the weights tell.
    :param options: What is asked for; a model that cannot be run is an error if `verify` is True, else the
        reason is returned.
    :param rng: The run's generator.
    :param journal: What an interrupted run had verified.
    :param progress: Where to report.
    :raises ForensicsError: If the model has to be run and cannot be.
    """
    try:
        verifier, prompts, notes = _load(examined, options, progress)
    except ForensicsError as error:
        if options.verify:
            raise
        return Verification(None, skipped=str(error))
    plan = _plan(examined, options, rng)
    first = len(plan.controls) + plan.least + sum(map(len, plan.extra.values()))
    progress.note(
        f"Verifying {first} tokens by prompting, and more as long as they verify; interrupt at any time, "
        "the same command continues."
    )
    result = search_down(
        verifier.verify,
        plan,
        rng,
        known={evidence.token_id: evidence for evidence in _kept(journal)},
        on_result=lambda evidence: journal.keep(str(evidence.token_id), evidence.to_json()),
        progress=progress,
    )
    if result.prompts_unsuitable:
        notes += (
            f"The model produced only {result.controls_passed:.0%} of {len(plan.controls)} well-trained "
            "control tokens: the prompts do not suit it, and the verdicts say little about the tokens.",
        )
    return Verification(result, controls=tuple(plan.controls), prompts=prompts, notes=notes)


def _kept(journal: Journal) -> Iterator[TokenEvidence]:
    """Yield what an interrupted run had verified; what a crash has damaged is verified again."""
    for entry in journal.kept():
        try:
            yield TokenEvidence.from_json(entry)
        except (KeyError, TypeError, ValueError):
            continue


def _load(
    examined: Examined, options: ScanOptions, progress: Progress
) -> tuple[Verifier | DraftedVerifier, dict[str, str], tuple[str, ...]]:
    """Return the verifier, the prompts as text, and remarks."""
    from forensics.sources.runtimes.causal_lm import load_causal_lm, position_count
    from forensics.undertrained.chat_prompt import ChatTemplateError, build_chat_prompt
    from forensics.undertrained.drafted_verification import DraftedVerifier, drafting_pays
    from forensics.undertrained.plain_verification import STEPS
    from forensics.undertrained.prompts import build_prompts, fitting_prompts
    from forensics.undertrained.token_evidence import text_of_ids
    from forensics.undertrained.verification import Verifier

    with progress.stage("load model"):
        model = load_causal_lm(
            examined.checkpoint,
            device=options.device,
            dtype=options.dtype,
            threads=options.threads,
            trust_remote_code=options.trust_remote_code,
        )
    prompts, notes = build_prompts(examined.source), []
    try:
        chat = build_chat_prompt(examined.source)
    except ChatTemplateError as error:
        chat = None
        notes.append(f"Verification went without the chat form: {error}")
    if chat is not None:
        prompts = (*prompts, chat)
    rows = int(model.get_input_embeddings().weight.shape[0])
    prompts, left_out = fitting_prompts(prompts, rows, position_count(model), STEPS)
    notes += left_out
    if not prompts:
        raise BadInputError(examined.checkpoint.path, " ".join(left_out), "scan it without verification")
    decode = text_of_ids(examined.vocabulary.bytes)
    texts = {prompt.name: _shown(prompt, decode) for prompt in prompts}
    kind = DraftedVerifier if drafting_pays(model) else Verifier
    return kind(model, prompts, decode, batch_size=options.batch_size), texts, tuple(notes)


def _shown(prompt: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return a prompt's text with the token under test as `SHOWN_SLOT`."""
    ends = [*prompt.slots, len(prompt.ids)]
    starts = [0, *(slot + 1 for slot in prompt.slots)]
    return SHOWN_SLOT.join(decode(prompt.ids[a:b]) for a, b in zip(starts, ends, strict=True))


def _plan(examined: Examined, options: ScanOptions, rng: np.random.Generator) -> SearchPlan:
    """Return what is to be verified."""
    ranking = examined.ranking()
    controls = well_trained_controls(examined.vocabulary, ranking, rng)
    if options.tokens is not None:
        controls = [i for i in controls if i not in options.tokens]
        return SearchPlan((), 0, controls=controls, extra={Role.REQUESTED: options.tokens}, audit_sample=0)
    return SearchPlan(
        ranking=ranking.tolist(),
        least=len(examined.findings.candidates),
        most=MOST_CANDIDATES if options.max_candidates is None else options.max_candidates,
        controls=controls,
        extra=verified_groups(examined.vocabulary, examined.findings.is_representative, rng),
        audit_sample=options.audit_sample,
    )
