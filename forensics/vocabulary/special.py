"""Special tokens and their roles: who declares them, whether text gives them, whether the files agree.

A special token that its own text does not give as one id is not a control token when written in a prompt;
bos, eos and pad that differ between files end or pad a text differently depending on who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.schema.tokenizer import SpecialTokenEntry
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["RoleClaims", "SpecialFindings", "special_findings"]


@dataclass(frozen=True)
class RoleClaims:
    """What every file says about one role."""

    role: str
    #: File -> ids it names; several where a file lists several (all ids that end a text).
    claims: Mapping[str, tuple[int, ...]]

    @property
    def agree(self) -> bool:
        """Whether one id satisfies every file."""
        return bool(set.intersection(*(set(ids) for ids in self.claims.values())))


@dataclass(frozen=True)
class SpecialFindings:
    """All special tokens and roles of a tokenizer."""

    tokens: tuple[SpecialTokenEntry, ...]
    roles: tuple[RoleClaims, ...]


def special_findings(source: TokenizerSource, vocabulary: Vocabulary) -> SpecialFindings:
    """Return the special tokens of `source` and what its files say about their roles.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    declared: dict[int, list[str]] = {}
    for added in source.added_tokens:
        if added.special:
            declared.setdefault(added.token_id, []).extend(added.declared_in.split(", "))
    roles = tuple(_claims(role, given) for role, given in source.special_roles.items())
    roles_of: dict[int, list[str]] = {}
    for claims in roles:
        for file, ids in claims.claims.items():
            for token_id in ids:
                roles_of.setdefault(token_id, []).append(claims.role)
                declared.setdefault(token_id, []).append(file)
    return SpecialFindings(
        tokens=tuple(
            _special_token(token_id, declared[token_id], roles_of.get(token_id, []), vocabulary)
            for token_id in sorted(declared)
            if token_id < len(vocabulary)
        ),
        roles=roles,
    )


def _claims(role: str, given: Mapping[str, int]) -> RoleClaims:
    """Collect `file`, `file #2`, ... into the ids that the file names."""
    claims: dict[str, tuple[int, ...]] = {}
    for name, token_id in given.items():
        file = name.partition(" #")[0]
        claims[file] = (*claims.get(file, ()), token_id)
    return RoleClaims(role, claims)


def _special_token(
    token_id: int, files: list[str], roles: list[str], vocabulary: Vocabulary
) -> SpecialTokenEntry:
    single = vocabulary.context[token_id] is not None
    return SpecialTokenEntry(
        token_id=token_id,
        piece=vocabulary.pieces[token_id] or "",
        roles=tuple(dict.fromkeys(roles)),
        declared_in=tuple(dict.fromkeys(files)),
        single=single,
        encodes_to=(token_id,) if single else vocabulary.reencoded.get(token_id, ()),
        reserved=vocabulary.reserved[token_id],
    )
