"""`tokenizer_source`: the one place where a format's own parts become a `TokenizerSource`.

A format knows its pieces, its merges and how to build a working encoder. Roles, the chat template, names that
mark an entry as reserved and remarks on the table of pieces are worked out here, the same way for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.character_map import refuse_unsound_maps
from forensics.sources.tokenizer_files.pieces import ids_of_pieces, vocabulary_notes
from forensics.sources.tokenizer_files.reserved_names import declared_by_name
from forensics.sources.tokenizer_files.special_roles import Companions

if TYPE_CHECKING:
    import tokenizers

__all__ = ["TokenizerParts", "tokenizer_source"]


@dataclass(frozen=True, eq=False)
class TokenizerParts:
    """What only the reader of a format can say; the fields are those of `TokenizerSource`."""

    format: str
    model: TokenizerModel
    pieces: tuple[str | None, ...]
    encoder: tokenizers.Tokenizer
    added_tokens: tuple[AddedToken, ...]
    pretokenizer_origin: str | None
    merges: tuple[tuple[str, str], ...] = ()
    scores: npt.NDArray[np.float32] | None = None
    byte_level: bool = False
    byte_fallback: bool = False
    #: Role -> {file: id} as the format's own file says; the neighbouring files' word comes after it.
    roles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: Ids that the format's own file marks as unused, beside those whose names say so.
    declared_unused: Mapping[int, str] = field(default_factory=dict)
    #: The chat template and the bos rule, where the format's own file holds them.
    chat_template: str | None = None
    adds_bos: bool | None = None
    notes: tuple[str, ...] = ()


def tokenizer_source(
    path: Path, name: str, files: tuple[Path, ...], parts: TokenizerParts, companions: Companions
) -> TokenizerSource:
    """Return the source made of `parts` and of what the neighbouring files say.

    :param path: What the user named.
    :param name: The short name to give the source.
    :param files: The format's own files; those of `companions` are added.
    :param parts: What the format knows.
    :param companions: The JSON files beside it, empty where there are none or they are not read.
    :raises BadInputError: If the encoder holds a table that would fail at some later text.
    """
    refuse_unsound_maps(files[0] if files else path, parts.encoder)
    roles = {role: dict(given) for role, given in parts.roles.items()}
    elsewhere, role_notes = companions.special_roles(ids_of_pieces(parts.pieces))
    for role, given in elsewhere.items():
        roles.setdefault(role, {}).update(given)
    return TokenizerSource(
        path=path,
        name=name,
        format=parts.format,
        model=parts.model,
        byte_level=parts.byte_level,
        byte_fallback=parts.byte_fallback,
        pieces=parts.pieces,
        merges=parts.merges,
        scores=parts.scores,
        added_tokens=parts.added_tokens,
        special_roles=roles,
        declared_unused={**declared_by_name(parts.pieces), **parts.declared_unused},
        chat_template=parts.chat_template or companions.chat_template,
        encoder=parts.encoder,
        pretokenizer_origin=parts.pretokenizer_origin,
        files=(*files, *companions.files),
        notes=(*vocabulary_notes(parts.pieces), *parts.notes, *role_notes),
        adds_bos=companions.adds_bos if parts.adds_bos is None else parts.adds_bos,
    )
