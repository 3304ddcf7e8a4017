"""A SentencePiece `.model` file as data: the parts of its protocol buffer that matter here.

Field numbers are those of `sentencepiece_model.proto` (google/sentencepiece).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import BadInputError
from forensics.sources.tokenizer_files.pieces import LARGEST_TOKEN_ID
from forensics.sources.tokenizer_files.protobuf import WireError, fields

__all__ = ["SentencePieceModel", "parse_model"]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
#: ModelType of the trainer.
_MODELS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_ROLE_FIELDS = {40: ("unk", 0), 41: ("bos", 1), 42: ("eos", 2), 43: ("pad", -1)}
_DAMAGED = "not a SentencePiece model, or damaged; download it again"


@dataclass
class SentencePieceModel:
    """What is read from the protocol buffer, with the format's defaults."""

    pieces: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    kind: str = "unigram"
    whitespace_as_suffix: bool = False
    roles: dict[str, int] = field(default_factory=lambda: dict(_ROLE_FIELDS.values()))
    charsmap: bytes = b""
    dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True

    def of_type(self, *types: int) -> list[int]:
        """Return the ids of these piece types."""
        return [token_id for token_id, kind in enumerate(self.types) if kind in types]


def parse_model(path: Path, data: bytes) -> SentencePieceModel:
    """Parse a model.

    :param path: The file, for errors.
    :param data: Its content.
    :raises BadInputError: If it is no SentencePiece model, or damaged.
    """
    model = SentencePieceModel()
    try:
        for number, value in fields(data):
            if number == 1:
                _piece(model, _message(value))
            elif number == 2:
                _trainer(model, _message(value))
            elif number == 3:
                _normalizer(model, _message(value))
    except (WireError, UnicodeDecodeError) as error:
        raise BadInputError(path, f"not readable as SentencePiece ({error})", _DAMAGED) from error
    if not model.pieces or len(model.pieces) > LARGEST_TOKEN_ID:
        raise BadInputError(path, f"{len(model.pieces):,} pieces", _DAMAGED)
    if not np.isfinite(model.scores).all():
        raise BadInputError(path, "a score is NaN or infinite", _DAMAGED)
    return model


def _message(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise WireError("a number where a message was expected")
    return value


def _piece(model: SentencePieceModel, data: bytes) -> None:
    text, score, kind = b"", 0.0, NORMAL
    for number, value in fields(data):
        if number == 1:
            text = _message(value)
        elif number == 2:
            score = _number(value)
        elif number == 3:
            kind = _integer(value)
    model.pieces.append(text.decode("utf-8"))
    model.scores.append(score)
    model.types.append(kind)


def _trainer(model: SentencePieceModel, data: bytes) -> None:
    for number, value in fields(data):
        if number == 3:
            model.kind = _MODELS.get(_integer(value), "unknown")
        elif number == 24:
            model.whitespace_as_suffix = bool(value)
        elif number in _ROLE_FIELDS:
            unsigned = _integer(value)
            # A negative id (none) is written as a 64-bit two's complement.
            model.roles[_ROLE_FIELDS[number][0]] = unsigned - 2**64 if unsigned >= 2**63 else unsigned


def _normalizer(model: SentencePieceModel, data: bytes) -> None:
    for number, value in fields(data):
        if number == 2:
            model.charsmap = _message(value)
        elif number == 3:
            model.dummy_prefix = bool(value)
        elif number == 4:
            model.remove_extra_whitespaces = bool(value)
        elif number == 5:
            model.escape_whitespaces = bool(value)


def _number(value: Any) -> float:
    if not isinstance(value, float):
        raise WireError("no 4-byte number where a score was expected")
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise WireError("no integer where one was expected")
    return value
