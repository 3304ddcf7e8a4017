"""The model of a scan, loaded and ready to be asked: prompts, probes and who puts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.scan.examined import Examined
from forensics.schema.scan import ScanOptions
from forensics.undertrained.prompts import Prompt

if TYPE_CHECKING:
    from forensics.undertrained.drafted_verification import DraftedVerifier
    from forensics.undertrained.verification import Verifier

__all__ = ["Prompting", "load_prompting"]

#: How the token under test is written where a prompt is shown.
SHOWN_SLOT = "⟨token⟩"
#: Characters shown of a probe, whose beginning is examples like those at its end.
_SHOWN_PROBE = 120


@dataclass(frozen=True, eq=False)
class Prompting:
    """A model and what is put to it."""

    #: The `transformers` model.
    model: Any
    verifier: Verifier | DraftedVerifier
    #: Names of the probes, in the order they are put; none where the model cannot be given any.
    probes: tuple[str, ...]
    #: Prompt name -> its text, the token under test written as `SHOWN_SLOT`.
    texts: dict[str, str]
    #: Ids that the model expects before every text (BOS).
    start: tuple[int, ...]
    #: Remarks for the report.
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Tokens the model can read: ids below it."""
        return int(self.model.get_input_embeddings().weight.shape[0])

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        return sum(int(each.numel()) for each in self.model.parameters())

    @property
    def on_cpu(self) -> bool:
        """Whether it runs on a CPU."""
        return str(self.model.device.type) == "cpu"


def load_prompting(
    examined: Examined, options: ScanOptions, rng: np.random.Generator, progress: Progress
) -> Prompting:
    """Load the model and build what is put to it.

    :param examined: The sources and what the weights tell.
    :param options: Where and how the model runs.
    :param rng: Draws the ordinary tokens that the probes are shown with.
    :param progress: Where to report.
    :raises ForensicsError: If the model cannot be run.
    """
    from forensics.sources.runtimes.causal_lm import load_causal_lm, position_count
    from forensics.undertrained.drafted_verification import DraftedVerifier, drafting_pays
    from forensics.undertrained.plain_verification import STEPS
    from forensics.undertrained.prompts import build_prompts, fitting_prompts, leading_special_ids
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
    built = build_prompts(examined.source)
    chat, notes = _chat_prompt(examined)
    rows = int(model.get_input_embeddings().weight.shape[0])
    positions = position_count(model)
    prompts, left_out = fitting_prompts((*built, *chat), rows, positions, STEPS)
    if not prompts:
        raise BadInputError(examined.checkpoint.path, " ".join(left_out), "scan it without verification")
    # A probe says one token, which needs no position of its own.
    probes, without = fitting_prompts(_probes(examined, built, rng), rows, positions, steps=1)
    decode = text_of_ids(examined.vocabulary.bytes)
    kind = DraftedVerifier if drafting_pays(model) else Verifier
    return Prompting(
        model=model,
        verifier=kind(model, prompts, decode, probes=probes, batch_size=options.batch_size),
        probes=tuple(probe.name for probe in probes),
        texts={
            **{probe.name: _shown_end(probe, decode) for probe in probes},
            **{prompt.name: _shown(prompt, decode) for prompt in prompts},
        },
        start=leading_special_ids(examined.source),
        notes=(*notes, *left_out, *without),
    )


def _chat_prompt(examined: Examined) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
    """Return the chat form of the prompts, if there is one, and a remark if it cannot be made."""
    from forensics.undertrained.chat_prompt import ChatTemplateError, build_chat_prompt

    try:
        chat = build_chat_prompt(examined.source)
    except ChatTemplateError as error:
        return (), (f"Verification went without the chat form: {error}",)
    return (() if chat is None else (chat,)), ()


def _probes(examined: Examined, prompts: Sequence[Prompt], rng: np.random.Generator) -> tuple[Prompt, ...]:
    """Return the probes, shown with random tokens of the calmer half of the ranking."""
    from forensics.undertrained.probes import EXAMPLES, build_probes

    ranking = examined.ranking()
    calm = rng.permutation(ranking[len(ranking) // 2 :])
    return build_probes(examined.source, prompts, calm[:EXAMPLES].tolist()) if len(calm) else ()


def _shown(prompt: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return a prompt's text with the token under test as `SHOWN_SLOT`."""
    ends = [*prompt.slots, len(prompt.ids)]
    starts = [0, *(slot + 1 for slot in prompt.slots)]
    return SHOWN_SLOT.join(decode(prompt.ids[a:b]) for a, b in zip(starts, ends, strict=True))


def _shown_end(probe: Prompt, decode: Callable[[Sequence[int]], str]) -> str:
    """Return the end of a probe's text; what is before it are more examples of the same form."""
    text = _shown(probe, decode)
    return text if len(text) <= _SHOWN_PROBE else f"… {text[-_SHOWN_PROBE:]}"
