"""The model of a scan, loaded and ready to be asked: prompts, probes and who puts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.scan.examined import Examined
from forensics.schema.scan import ScanOptions
from forensics.sources.interface import NextTokenModel
from forensics.undertrained.plain_verification import STEPS
from forensics.undertrained.prompts import Prompt

if TYPE_CHECKING:
    from forensics.runs.scan.served_prompting import Served
    from forensics.undertrained.asked_verification import Carries
    from forensics.undertrained.probe_cascade import CascadeReading
    from forensics.undertrained.second_look import ReadsText
    from forensics.undertrained.token_evidence import TokenEvidence

__all__ = [
    "SHOWN_SLOT",
    "Prompting",
    "Put",
    "PutsTokens",
    "asked_prompting",
    "calm_tokens",
    "load_prompting",
    "what_to_put",
]

#: How the token under test is written where a prompt is shown.
SHOWN_SLOT = "⟨token⟩"
#: Characters shown of a probe, whose beginning is examples like those at its end.
_SHOWN_PROBE = 120
#: Tokens probed for the estimate where each is a question of its own. On SmolLM2-135M's 42 tokens such a
#: sample gave intervals of 19 to 151 (median of 2,000 redraws).
ASKED_SAMPLE = 2000


class PutsTokens(Protocol):
    """Who puts tokens to a model: `Verifier` and its kin."""

    def probe(self, token_ids: Sequence[int], leave_at: float) -> CascadeReading:
        """Return what the probes alone show of each token."""

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, in the order given."""

    def verify_past_probes(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the same where no probe lets a token go before the prompts."""


@dataclass(frozen=True, eq=False)
class Prompting:
    """A model and what is put to it."""

    verifier: PutsTokens
    #: The same model, reading ordinary text; None where it can only be talked to.
    reader: ReadsText | None
    #: Names of the probes, in the order they are put; none where the model cannot be given any.
    probes: tuple[str, ...]
    #: Prompt name -> its text, the token under test written as `SHOWN_SLOT`.
    texts: dict[str, str]
    #: Ids that the model expects before every text (BOS).
    start: tuple[int, ...]
    #: Tokens the model can read: ids below it.
    rows: int
    #: Positions the model was made for, or None.
    positions: int | None
    #: Tokens below the candidates -> how many of them to probe where the user says nothing; None: all.
    sample_size: Callable[[int], int | None]
    #: Remarks for the report.
    notes: tuple[str, ...]
    #: Where each token is a question to somebody else: whom, and how many are allowed.
    served: Served | None = None

    @property
    def model(self) -> Any:
        """The `transformers` model in this process; None where another program runs it."""
        from forensics.undertrained.second_look import WholeText

        return self.reader.model if isinstance(self.reader, WholeText) else None


@dataclass(frozen=True)
class Put:
    """What can be put to a model of so many rows and positions."""

    prompts: tuple[Prompt, ...]
    probes: tuple[Prompt, ...]
    decode: Callable[[Sequence[int]], str]
    texts: dict[str, str]
    notes: tuple[str, ...]

    @property
    def most_questions(self) -> int:
        """Next tokens that have to be asked for where nothing shows a token."""
        return len(self.probes) + STEPS * len(self.prompts)


def load_prompting(
    examined: Examined, options: ScanOptions, rng: np.random.Generator, progress: Progress
) -> Prompting:
    """Load the model, or find who serves it, and build what is put to it.

    :param examined: The sources and what the weights tell.
    :param options: Where and how the model runs.
    :param rng: Draws the ordinary tokens that the probes are shown with.
    :param progress: Where to report.
    :raises ForensicsError: If the model cannot be run or asked.
    """
    if options.endpoint is not None:
        from forensics.runs.scan.served_prompting import served_prompting

        return served_prompting(examined, options, options.endpoint, rng, progress)
    if options.runtime == "llamacpp":
        return _engine_prompting(examined, options, rng, progress)
    return _loaded_prompting(examined, options, rng, progress)


def _loaded_prompting(
    examined: Examined, options: ScanOptions, rng: np.random.Generator, progress: Progress
) -> Prompting:
    """Load the model into this process."""
    from forensics.sources.runtimes.causal_lm import load_causal_lm, position_count
    from forensics.undertrained.drafted_verification import DraftedVerifier, drafting_pays
    from forensics.undertrained.probed_sample import default_sample_size
    from forensics.undertrained.prompts import leading_special_ids
    from forensics.undertrained.second_look import WholeText
    from forensics.undertrained.verification import Verifier

    with progress.stage("load model"):
        model = load_causal_lm(
            examined.checkpoint,
            device=options.device,
            dtype=options.dtype,
            threads=options.threads,
            trust_remote_code=options.trust_remote_code,
        )
    rows = int(model.get_input_embeddings().weight.shape[0])
    positions = position_count(model)
    put = what_to_put(examined, rows, positions, rng)
    kind = DraftedVerifier if drafting_pays(model) else Verifier
    parameters = sum(int(each.numel()) for each in model.parameters())
    return Prompting(
        verifier=kind(model, put.prompts, put.decode, probes=put.probes, batch_size=options.batch_size),
        reader=WholeText(model),
        probes=tuple(probe.name for probe in put.probes),
        texts=put.texts,
        start=leading_special_ids(examined.source),
        rows=rows,
        positions=positions,
        sample_size=lambda rest: default_sample_size(
            rest=rest, parameters=parameters, on_cpu=str(model.device.type) == "cpu"
        ),
        notes=put.notes,
    )


def _engine_prompting(
    examined: Examined, options: ScanOptions, rng: np.random.Generator, progress: Progress
) -> Prompting:
    """Run a GGUF file in llama.cpp."""
    from forensics.sources.runtimes.llama_cpp import LlamaCppModel

    with progress.stage("load model"):
        model = LlamaCppModel(examined.checkpoint, threads=options.threads)
    rows = examined.checkpoint.embedding.shape[0]
    return asked_prompting(examined, what_to_put(examined, rows, model.positions, rng), model, rows)


def asked_prompting(
    examined: Examined, put: Put, model: NextTokenModel, rows: int, carries: Carries | None = None
) -> Prompting:
    """Return the prompting of a model that is asked for one next token at a time.

    :param examined: The sources and what the weights tell.
    :param put: What is put to it.
    :param model: Whoever answers.
    :param rows: Tokens it has rows for.
    :param carries: Whether a token can be asked for behind a prompt; None: always.
    """
    from forensics.undertrained.asked_verification import AskedText, AskedVerifier
    from forensics.undertrained.prompts import leading_special_ids

    note = "The emission maximum was not read: the model was asked for single probabilities only."
    return Prompting(
        verifier=AskedVerifier(model, rows, put.prompts, put.decode, probes=put.probes, carries=carries),
        reader=AskedText(model, rows, carries),
        probes=tuple(probe.name for probe in put.probes),
        texts=put.texts,
        start=leading_special_ids(examined.source),
        rows=rows,
        positions=model.positions,
        sample_size=lambda rest: min(rest, ASKED_SAMPLE),
        notes=(*put.notes, note),
    )


def what_to_put(
    examined: Examined,
    rows: int,
    positions: int | None,
    rng: np.random.Generator,
    is_example: Callable[[int], bool] | None = None,
) -> Put:
    """Return the prompts and probes that fit the model.

    :param examined: The sources and what the weights tell.
    :param rows: Tokens the model has rows for.
    :param positions: Positions it has, or None.
    :param rng: Draws the tokens that the probes are shown with.
    :param is_example: Which of these suit; None: all.
    :raises BadInputError: If no prompt fits.
    """
    from forensics.undertrained.prompts import build_prompts, fitting_prompts
    from forensics.undertrained.token_evidence import text_of_ids

    built = build_prompts(examined.source)
    chat, notes = _chat_prompt(examined)
    prompts, left_out = fitting_prompts((*built, *chat), rows, positions, STEPS)
    if not prompts:
        raise BadInputError(examined.checkpoint.path, " ".join(left_out), "scan it without verification")
    # A probe says one token, which needs no position of its own.
    probes, without = fitting_prompts(_probes(examined, built, rng, is_example), rows, positions, steps=1)
    decode = text_of_ids(examined.vocabulary.bytes)
    texts = {
        **{probe.name: _shown_end(probe, decode) for probe in probes},
        **{prompt.name: _shown(prompt, decode) for prompt in prompts},
    }
    return Put(prompts, probes, decode, texts, (*notes, *left_out, *without))


def _chat_prompt(examined: Examined) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
    """Return the chat form of the prompts, if there is one, and a remark if it cannot be made."""
    from forensics.undertrained.chat_prompt import ChatTemplateError, build_chat_prompt

    try:
        chat = build_chat_prompt(examined.source)
    except ChatTemplateError as error:
        return (), (f"Verification went without the chat form: {error}",)
    return (() if chat is None else (chat,)), ()


def calm_tokens(
    examined: Examined, rng: np.random.Generator, is_example: Callable[[int], bool] | None = None
) -> list[int]:
    """Return the calmer half of the ranking in random order, or those of it that suit as examples."""
    ranking = examined.ranking()
    calm: list[int] = rng.permutation(ranking[len(ranking) // 2 :]).tolist()
    return calm if is_example is None else list(filter(is_example, calm))


def _probes(
    examined: Examined,
    prompts: Sequence[Prompt],
    rng: np.random.Generator,
    is_example: Callable[[int], bool] | None,
) -> tuple[Prompt, ...]:
    """Return the probes, shown with random tokens of the calmer half of the ranking."""
    from forensics.undertrained.probes import EXAMPLES, build_probes

    calm = calm_tokens(examined, rng, is_example)
    return build_probes(examined.source, prompts, calm[:EXAMPLES]) if calm else ()


def _shown(prompt: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return a prompt's text with the token under test as `SHOWN_SLOT`."""
    ends = [*prompt.slots, len(prompt.ids)]
    starts = [0, *(slot + 1 for slot in prompt.slots)]
    return SHOWN_SLOT.join(decode(prompt.ids[a:b]) for a, b in zip(starts, ends, strict=True))


def _shown_end(probe: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return the end of a probe's text; what is before it are more examples of the same form."""
    text = _shown(probe, decode)
    return text if len(text) <= _SHOWN_PROBE else f"… {text[-_SHOWN_PROBE:]}"
