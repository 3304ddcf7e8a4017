"""The fixed vocabularies of the tables: category, byte role, verdict and role, each word with its meaning."""

from __future__ import annotations

import math
from enum import StrEnum

__all__ = [
    "INCONCLUSIVE_BELOW",
    "STRONG_BELOW",
    "WEAK_BELOW",
    "ByteRole",
    "Category",
    "Interface",
    "Role",
    "Verdict",
]

#: Below this `max_prob` a token is verified strongly.
STRONG_BELOW = 0.001
#: Below this `max_prob` a token is verified (Land and Bartolo 2024, arXiv 2405.05417, section 3.3).
WEAK_BELOW = 0.01
#: At or above this `max_prob` a token is rejected: the model does produce it.
INCONCLUSIVE_BELOW = 0.1


class Word(StrEnum):
    """A word of a table with what it means, in a phrase that a report can print."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Word:
        """Make the member `value`, which carries `meaning`."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.meaning = meaning
        return word


class Category(Word):
    """What encoding a token's own text says about it (Land and Bartolo 2024, section 3.1)."""

    OK = "ok", "round trip: its text encodes back to it"
    OK_SPECIAL = "ok_special", "special token, matched as one"
    UNREACHABLE_SPECIAL = "unreachable_special", "special token that its own text does not give"
    UNDECODABLE = "undecodable", "part of a character: no valid UTF-8 by itself"
    UNREACHABLE_SINGLE = "unreachable_single", "its text encodes to one other token"
    UNREACHABLE_MULTI = "unreachable_multi", "its text encodes to several other tokens"
    UNUSED_ROW = "unused_row", "row past the tokenizer's vocabulary"


class ByteRole(Word):
    """What a single byte can be in UTF-8 (RFC 3629)."""

    ASCII = "ascii", "ASCII"
    #: 0xC2 to 0xF4: begins a character of two to four bytes.
    LEAD = "lead", "leads a UTF-8 character"
    #: 0x80 to 0xBF.
    CONTINUATION = "continuation", "continues a UTF-8 character"
    #: In no valid text.
    NEVER_VALID = "never_valid", "never valid in UTF-8 (C0, C1, F5 to FF)"


class Verdict(Word):
    """What the prompts say about one token."""

    VERIFIED_STRONG = "verified_strong", "the model gave it less than 0.001 in every prompt"
    VERIFIED_WEAK = "verified_weak", "the model gave it less than 0.01 in every prompt"
    INCONCLUSIVE = "inconclusive", "between 0.01 and 0.1"
    REJECTED = "rejected", "the model produces it when asked to: 0.1 or more"
    #: No row in the matrix, or no finite probability.
    NOT_ENCODABLE = "not_encodable", "could not be put to the model"

    @property
    def is_verified(self) -> bool:
        """Whether the token counts as under-trained."""
        return self in (Verdict.VERIFIED_STRONG, Verdict.VERIFIED_WEAK)

    @classmethod
    def of(cls, max_prob: float | None) -> Verdict:
        """Return the verdict for a probability (None or NaN: the token could not be tested).

        >>> Verdict.of(0.004).value
        'verified_weak'
        """
        if max_prob is None or math.isnan(max_prob):
            return cls.NOT_ENCODABLE
        if max_prob < STRONG_BELOW:
            return cls.VERIFIED_STRONG
        if max_prob < WEAK_BELOW:
            return cls.VERIFIED_WEAK
        return cls.INCONCLUSIVE if max_prob < INCONCLUSIVE_BELOW else cls.REJECTED


class Role(Word):
    """Why a token was verified."""

    CONTROL = "control", "well-trained, to see whether the model can do what the prompts ask"
    REQUESTED = "requested", "named by the user"
    CANDIDATE = "candidate", "among the least number from the top of the ranking"
    AUDIT = "audit", "drawn at random from below the candidates"
    BYTE = "byte", "a single byte"
    PARTIAL_UTF8 = "partial_utf8", "two or more bytes that are not UTF-8 by themselves"
    UNREACHABLE = "unreachable", "its own text never encodes to it"
    SPECIAL = "special", "declared special, reserved or unused"
    EXTENSION = "extension", "next in the ranking, because verification had not dried up"
    STRATUM = "stratum", "drawn at random from a stretch of the rest"
    SAMPLE = "sample", "of a random sample of the rest, and left open by the probes"


class Interface(Word):
    """How a model was asked that another program runs; the one that sees most first."""

    IDS = "ids", "prompts of token ids, and the probability of any token"
    TEXT = "text", "prompts of text, and the most probable tokens"
    CHAT = "chat", "conversation, and the most probable tokens of the answer"
    SAID = "said", "conversation, and the text of the answer alone"

    @property
    def is_conversation(self) -> bool:
        """Whether the model was talked to, which leaves the prompt to its server."""
        return self in (Interface.CHAT, Interface.SAID)
