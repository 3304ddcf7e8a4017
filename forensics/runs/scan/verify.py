"""The verification stage of a scan: load the model, plan, run, keep a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forensics.errors import BadInputError, ForensicsError
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.scan.eligible import well_trained_controls
from forensics.sources.interface import Checkpoint, TokenizerSource
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import Role, SearchPlan, SearchResult
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.weights import WeightFindings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["Verification", "VerifyOptions", "verify_findings"]

#: Declared reserved entries that are put to the model, drawn at random: whether such entries were put
#: to use shows in a sample, and a vocabulary may hold thousands.
RESERVED_SAMPLE = 64
#: Tokens of the ranking gone through one by one, unless the user says otherwise or the least number of
#: candidates is larger: minutes for a small model on a CPU. The rest is sampled and estimated.
MOST_CANDIDATES = 4000
#: How the token under test is written where a prompt is shown.
SHOWN_SLOT = "⟨token⟩"


@dataclass(frozen=True)
class VerifyOptions:
    """How verification is run; names and meanings are those of the command line."""

    max_candidates: int | None = None
    audit_sample: int = 100
    tokens: tuple[int, ...] | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    trust_remote_code: bool = False


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
    checkpoint: Checkpoint,
    source: TokenizerSource,
    vocabulary: Vocabulary,
    findings: WeightFindings,
    ranking: np.ndarray[Any, np.dtype[np.int64]],
    options: VerifyOptions,
    rng: np.random.Generator,
    *,
    required: bool,
    open_journal: Callable[[], Journal | None],
    progress: Progress,
) -> Verification:
    """Put tokens to the model and return what it shows.

    :param ranking: Eligible tokens that speak for themselves, most suspicious first.
    :param required: Whether a model that cannot be run is an error; if not, the reason is returned.
    :param open_journal: Opens the journal, once the model runs; gives None where nothing is kept.
    :raises ForensicsError: If `required` and the model cannot be run.
    """
    try:
        verifier, prompts, notes = _load(checkpoint, source, vocabulary, options, progress)
    except ForensicsError as error:
        if required:
            raise
        return Verification(None, skipped=str(error))
    plan = _plan(vocabulary, findings, ranking, options, rng)
    journal = open_journal()
    known = {e.token_id: e for e in map(TokenEvidence.from_json, journal.entries)} if journal else {}
    if known:
        progress.note(f"Resuming: {len(known)} tokens were verified before the interruption.")

    first = len(plan.controls) + plan.least + sum(map(len, plan.extra.values()))
    progress.note(
        f"Verifying {first} tokens by prompting, and more as long as they verify; interrupt at any time, "
        "the same command continues."
    )

    def keep(evidence: TokenEvidence) -> None:
        if journal is not None:
            journal.append(evidence.to_json())

    try:
        result = search_down(verifier.verify, plan, rng, known=known, on_result=keep, progress=progress)
    finally:
        if journal is not None:
            journal.close()
    if result.prompts_unsuitable:
        notes += (
            f"The model produced only {result.controls_passed:.0%} of {len(plan.controls)} well-trained "
            "control tokens: the prompts do not suit it, and the verdicts say little about the tokens.",
        )
    return Verification(result, controls=tuple(plan.controls), prompts=prompts, notes=notes)


def _load(
    checkpoint: Checkpoint,
    source: TokenizerSource,
    vocabulary: Vocabulary,
    options: VerifyOptions,
    progress: Progress,
) -> tuple[Any, dict[str, str], tuple[str, ...]]:
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
            checkpoint,
            device=options.device,
            dtype=options.dtype,
            threads=options.threads,
            trust_remote_code=options.trust_remote_code,
        )
    prompts, notes = build_prompts(source), []
    try:
        chat = build_chat_prompt(source)
    except ChatTemplateError as error:
        chat = None
        notes.append(f"Verification went without the chat form: {error}")
    if chat is not None:
        prompts = (*prompts, chat)
    rows = int(model.get_input_embeddings().weight.shape[0])
    prompts, left_out = fitting_prompts(prompts, rows, position_count(model), STEPS)
    notes += left_out
    if not prompts:
        raise BadInputError(checkpoint.path, " ".join(left_out), "scan it with --no-verify")
    decode = text_of_ids(vocabulary.bytes)
    texts = {prompt.name: _shown(prompt, decode) for prompt in prompts}
    kind = DraftedVerifier if drafting_pays(model) else Verifier
    return kind(model, prompts, decode, batch_size=options.batch_size), texts, tuple(notes)


def _shown(prompt: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return a prompt's text with the token under test as `SHOWN_SLOT`."""
    ends = [*prompt.slots, len(prompt.ids)]
    starts = [0, *(slot + 1 for slot in prompt.slots)]
    return SHOWN_SLOT.join(decode(prompt.ids[a:b]) for a, b in zip(starts, ends, strict=True))


def _plan(
    vocabulary: Vocabulary,
    findings: WeightFindings,
    ranking: np.ndarray[Any, np.dtype[np.int64]],
    options: VerifyOptions,
    rng: np.random.Generator,
) -> SearchPlan:
    """Return what is to be verified."""
    controls = well_trained_controls(vocabulary, ranking, rng)
    if options.tokens is not None:
        controls = [i for i in controls if i not in options.tokens]
        return SearchPlan((), 0, controls=controls, extra={Role.REQUESTED: options.tokens}, audit_sample=0)
    return SearchPlan(
        ranking=ranking.tolist(),
        least=len(findings.candidates),
        most=MOST_CANDIDATES if options.max_candidates is None else options.max_candidates,
        controls=controls,
        extra=_extra_groups(vocabulary, findings, rng),
        audit_sample=options.audit_sample,
    )


def _extra_groups(
    vocabulary: Vocabulary, findings: WeightFindings, rng: np.random.Generator
) -> dict[Role, Sequence[int]]:
    """Return the tokens outside the ranking that are verified too, by id, one for identical rows."""
    rows = len(findings.ranks)
    own = np.zeros(len(vocabulary), dtype=bool)
    own[: min(rows, len(vocabulary))] = findings.is_representative[: len(vocabulary)]
    reserved = np.array([word is not None for word in vocabulary.reserved])
    unreachable = np.isin(vocabulary.category, ["unreachable_single", "unreachable_multi"])
    special = vocabulary.is_special & ~reserved
    plain = own & ~reserved & ~special & ~vocabulary.is_byte
    declared = np.flatnonzero(own & reserved)
    drawn = rng.choice(declared, size=min(RESERVED_SAMPLE, len(declared)), replace=False)
    return {
        Role.BYTE: np.flatnonzero(own & vocabulary.is_byte).tolist(),
        Role.PARTIAL_UTF8: np.flatnonzero(plain & (vocabulary.category == "undecodable")).tolist(),
        Role.UNREACHABLE: np.flatnonzero(plain & unreachable).tolist(),
        Role.SPECIAL: sorted([*np.flatnonzero(own & special).tolist(), *drawn.tolist()]),
    }
