"""Verification of a model that can only be talked to.

A question shows the token under test between quotation marks and asks for it once more, after some exchanges
about ordinary tokens that show how the answer looks; where the answer begins with the mark, the token's
probability behind it counts as in a prompt (`token_evidence`). The wordings differ in their words and marks,
because no single one suits every token: behind `"` a token `))` is written as part of another.

This is not the paper's procedure (Land and Bartolo 2024, arXiv 2405.05417): it rests on a chat template that
nobody here has seen, and on text, so that what text cannot carry is not encodable. Where the server gives no
probabilities a token can be shown and not verified: what is not said is inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forensics.schema.words import INCONCLUSIVE_BELOW, Verdict
from forensics.sources.interface import ChatAnswer, ChatModel, ChatQuestion
from forensics.undertrained.probe_cascade import CascadeReading
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

__all__ = ["CHAT_EXAMPLES", "ChatVerifier", "Wording", "build_wordings"]

#: Ordinary tokens that `build_wordings` wants.
CHAT_EXAMPLES = 5


@dataclass(frozen=True)
class Wording:
    """One way of asking for a token in a conversation."""

    #: `chat_repeat` and so on.
    name: str
    #: The quotation marks.
    opening: str
    closing: str
    #: What the user says before the opening and behind the closing mark.
    before: str
    after: str
    #: Texts of the ordinary tokens that the examples are about.
    examples: tuple[str, ...] = ()

    def question(self, token: int, written: str) -> ChatQuestion:
        """Return the conversation about a token.

        :param token: The token.
        :param written: Its text.
        """
        messages: list[Mapping[str, str]] = []
        for example in self.examples:
            messages.append({"role": "user", "content": self._ask(example)})
            messages.append({"role": "assistant", "content": f"{self.opening}{example}{self.closing}"})
        messages.append({"role": "user", "content": self._ask(written)})
        return ChatQuestion(tuple(messages), self.opening, token)

    def is_carried(self, model: ChatModel, token: int) -> bool:
        """Whether a message in this wording shows the model the token itself."""
        return model.carries(self.before + self.opening, token, self.closing + self.after)

    def shown(self, slot: str) -> str:
        """Return the wording as text, with a mark for the token under test."""
        said = [f"{m['role']}: {m['content']}" for m in self.question(-1, slot).messages]
        return "\n".join([*said, f"assistant: {self.opening}"])

    def _ask(self, written: str) -> str:
        return f"{self.before}{self.opening}{written}{self.closing}{self.after}"


_WORDINGS = (
    Wording("chat_repeat", '"', '"', "Repeat this string exactly, in quotation marks: ", ""),
    Wording("chat_copy", "«", "»", "Please copy ", " once, with its marks, and write nothing else."),
    Wording("chat_bracket", "[", "]", "Original: ", "\nCopy:"),
)


def build_wordings(examples: Sequence[str]) -> tuple[Wording, ...]:
    """Return the wordings with examples.

    :param examples: Texts of ordinary tokens, `CHAT_EXAMPLES` of them or fewer.
    """
    return tuple(replace(wording, examples=tuple(examples[:CHAT_EXAMPLES])) for wording in _WORDINGS)


class ChatVerifier:
    """Puts tokens to a model in conversation; there are no probes."""

    def __init__(self, model: ChatModel, rows: int, wordings: Sequence[Wording]) -> None:
        """Keep whom to ask.

        :param model: Whoever answers.
        :param rows: Tokens the model has rows for: ids below it.
        :param wordings: How it is asked; the highest probability over all of them counts.
        """
        self._model = model
        self._rows = rows
        self.wordings = tuple(wordings)

    def probe(self, token_ids: Sequence[int], leave_at: float) -> CascadeReading:
        """Return a reading of no probe."""
        shape = (len(token_ids), 0)
        return CascadeReading((), np.empty(shape, np.float32), np.empty(shape, np.int64))

    def verify(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return the evidence about each token, in the order given."""
        shown: dict[int, list[PromptEvidence]] = {int(t): [] for t in token_ids}
        for wording in self.wordings:
            asked = {
                t: wording.question(t, self._model.written(t) or "")
                for t, found in shown.items()
                if 0 <= t < self._rows
                and not any(p >= INCONCLUSIVE_BELOW for each in found for p in each.told)
                and wording.is_carried(self._model, t)
            }
            answers = self._model.answers(list(asked.values()))
            for token, answer in zip(asked, answers, strict=True):
                shown[token].append(_evidence(wording.name, answer))
        return [self._conclude(int(t), shown[int(t)]) for t in token_ids]

    def verify_past_probes(self, token_ids: Sequence[int]) -> list[TokenEvidence]:
        """Return what `verify` does: there are no probes."""
        return self.verify(token_ids)

    def _conclude(self, token: int, shown: Sequence[PromptEvidence]) -> TokenEvidence:
        """Return the verdict.

        An answer that does not begin as it should says nothing of the token and is left out where another
        gave a number. Where none did, the token was asked for and not said, which is no probability.
        """
        if not shown:
            return TokenEvidence.not_encodable(token)
        numbers = [each for each in shown if not math.isnan(each.probabilities[0])]
        if not numbers:
            return TokenEvidence(token, None, False, Verdict.INCONCLUSIVE, tuple(shown))
        evidence = TokenEvidence.from_prompts(token, numbers, len(numbers) < len(self.wordings))
        return replace(evidence, prompts=tuple(shown))


def _evidence(name: str, answer: ChatAnswer) -> PromptEvidence:
    bounds = (0,) if answer.is_bound else ()
    return PromptEvidence(name, (math.exp(answer.log_p),), (answer.said,), answer.text, bounds=bounds)
