"""What verification leaves behind: a verdict per token, with the probabilities that led to it.

Thresholds after Land and Bartolo 2024 (arXiv 2405.05417, section on verification): a token whose
probability never reaches 0.01 counts as verified. The finer steps are those of this project's interface.

A probe (`forensics.undertrained.probes`) can only speak for a token, never against it, and it speaks from
`PROBE_SHOWS` on. Below that its number is a matter of the examples that were drawn for it, so the prompts,
which are the same in every run, decide alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.schema.words import INCONCLUSIVE_BELOW, Verdict
from forensics.undertrained.prompts import PROBE_PREFIX

__all__ = [
    "PROBE_SHOWS",
    "PromptEvidence",
    "TokenEvidence",
    "text_of_ids",
]

#: A probe counts from this probability on: a token that reaches it is rejected without the prompts. Over ten
#: draws of the examples the natural log of a probability between .001 and .1 had a standard deviation of 1.0
#: to 1.2 (SmolLM2-135M, 448 tokens), so this is .01 with a margin of two of them. At .01 a draw let up to
#: five of the 42 tokens go that verify by the prompts (2.6 in the mean, five in one draw or another); at .1
#: one draw of ten let one of them go.
PROBE_SHOWS = INCONCLUSIVE_BELOW


@dataclass(frozen=True)
class PromptEvidence:
    """What one prompt showed about one token."""

    #: The prompt's name, e.g. `repeat`.
    name: str
    #: Probability of the token under test at each generated step, in [0, 1].
    probabilities: tuple[float, ...]
    #: Ids generated greedily, one per probability.
    generated: tuple[int, ...]
    #: The generated ids as text.
    text: str
    #: False where the prompt was left early, because the token was rejected already, or settled because it
    #: had shown nothing at all; `probabilities` then hold what was measured up to there.
    complete: bool = True
    #: Steps at which nobody told the probability: `probabilities` have there what it does not exceed.
    bounds: tuple[int, ...] = ()

    @property
    def is_probe(self) -> bool:
        """Whether it is one of the short prompts with examples drawn at random."""
        return self.name.startswith(PROBE_PREFIX)

    @property
    def counted(self) -> tuple[float, ...]:
        """The probabilities that decide: of a prompt all, of a probe those that show the token."""
        if not self.is_probe:
            return self.probabilities
        told = (p for i, p in enumerate(self.probabilities) if i not in self.bounds)
        return tuple(p for p in told if not p < PROBE_SHOWS)

    @property
    def told(self) -> tuple[float, ...]:
        """Those of `counted` that are probabilities and no bounds."""
        if self.is_probe:
            return self.counted
        return tuple(p for i, p in enumerate(self.probabilities) if i not in self.bounds)

    def to_json(self) -> dict[str, Any]:
        """Return plain data; what is no number becomes null."""
        return {
            "name": self.name,
            "probabilities": [None if math.isnan(x) else x for x in self.probabilities],
            "generated": list(self.generated),
            "text": self.text,
            "complete": self.complete,
            **({"bounds": list(self.bounds)} if self.bounds else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PromptEvidence:
        """Rebuild what `to_json` gave.

        :raises KeyError: If a field is missing.
        """
        return cls(
            data["name"],
            tuple(math.nan if x is None else float(x) for x in data["probabilities"]),
            tuple(data["generated"]),
            data["text"],
            data["complete"],
            tuple(data.get("bounds", ())),
        )


@dataclass(frozen=True)
class TokenEvidence:
    """The verdict on one token and everything it rests on."""

    #: The token tested.
    token_id: int
    #: Highest probability of the token over all prompts and steps measured, and over the probes that show it
    #: (`PROBE_SHOWS`); None if not testable.
    max_prob: float | None
    #: True where prompts were left out, or left early, because the token was rejected or settled: `max_prob`
    #: is a lower bound.
    max_prob_is_bound: bool
    #: What follows from `max_prob`.
    verdict: Verdict
    #: Prompt by prompt, in the order they were put.
    prompts: tuple[PromptEvidence, ...]
    #: The first of the tokens with nearly the same rows of which some were read to the end for all, see
    #: `forensics.undertrained.kin`; None for a token in no such group.
    kin: int | None = None
    #: True where `max_prob` is an upper bound: the token was not among those that a server lists.
    max_prob_is_upper: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the model has shown the token with a probability that does not verify it."""
        return self.max_prob is not None and not self.max_prob_is_upper and not self.verdict.is_verified

    @property
    def is_spoken_for(self) -> bool:
        """Whether it was settled because others with nearly the same rows, read to the end, show nothing."""
        was_read = any(p.complete for p in self.prompts if not p.name.startswith(PROBE_PREFIX))
        return self.kin is not None and self.verdict.is_verified and not was_read

    @classmethod
    def from_prompts(
        cls, token_id: int, prompts: Sequence[PromptEvidence], is_bound: bool = False
    ) -> TokenEvidence:
        """Sum up `prompts`: the maximum over all their probabilities that count decides.

        What is known by a bound can count against a token, where the bound itself verifies it, and never
        for it: nothing is rejected that no prompt has shown.
        """
        values = [p for prompt in prompts for p in prompt.counted]
        told = max((p for prompt in prompts for p in prompt.told if not math.isnan(p)), default=0.0)
        max_prob = max((p for p in values if not math.isnan(p)), default=None)
        if told >= INCONCLUSIVE_BELOW:
            return cls(token_id, told, is_bound, Verdict.of(told), tuple(prompts))
        # One prompt that shows the token is enough to reject it; to call it under-trained all have to
        # have given a number, and a model with NaN rows does not.
        if any(math.isnan(p) for p in values):
            max_prob = None
        is_upper = max_prob is not None and max_prob > told
        verdict = Verdict.of(max_prob)
        if is_upper and verdict is Verdict.REJECTED:
            verdict = Verdict.INCONCLUSIVE
        return cls(token_id, max_prob, is_bound, verdict, tuple(prompts), max_prob_is_upper=is_upper)

    @classmethod
    def not_encodable(cls, token_id: int) -> TokenEvidence:
        """Return the evidence for a token that cannot be put to the model."""
        return cls(token_id, None, False, Verdict.NOT_ENCODABLE, ())

    def to_json(self) -> dict[str, Any]:
        """Return plain data, for a journal or the `evidence` column."""
        return {
            "token_id": self.token_id,
            "max_prob": self.max_prob,
            "max_prob_is_bound": self.max_prob_is_bound,
            "verdict": self.verdict.value,
            "probes": [shown.to_json() for shown in self.prompts if shown.is_probe],
            "prompts": [shown.to_json() for shown in self.prompts if not shown.is_probe],
            **({} if self.kin is None else {"kin": self.kin}),
            **({"max_prob_is_upper": True} if self.max_prob_is_upper else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TokenEvidence:
        """Rebuild what `to_json` gave; `from_json(e.to_json()) == e` where no probability is NaN.

        :raises KeyError: If a field is missing.
        """
        return cls(
            token_id=int(data["token_id"]),
            max_prob=data["max_prob"],
            max_prob_is_bound=bool(data["max_prob_is_bound"]),
            verdict=Verdict(data["verdict"]),
            prompts=tuple(PromptEvidence.from_json(p) for p in [*data.get("probes", ()), *data["prompts"]]),
            kin=data.get("kin"),
            max_prob_is_upper=bool(data.get("max_prob_is_upper", False)),
        )


def text_of_ids(token_bytes: Sequence[bytes | None]) -> Callable[[Sequence[int]], str]:
    r"""Return a function from generated ids to text, from the bytes of every token.

    Not every source has an encoder that can decode. Bytes that are no UTF-8 come out as U+FFFD, ids
    without bytes as nothing.

    >>> text_of_ids([b"a", b"\xc3", b"\xa9", None])([0, 1, 2, 3])
    'aé'
    """

    def decode(ids: Sequence[int]) -> str:
        parts = (token_bytes[i] if 0 <= i < len(token_bytes) else None for i in ids)
        return b"".join(part or b"" for part in parts).decode("utf-8", errors="replace")

    return decode
