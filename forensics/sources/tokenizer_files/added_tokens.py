"""Added tokens at the ids that the `tokenizers` library gives them.

The library numbers added tokens that its model lacks by itself, in the order in which they come; the ids
that files write beside them are not read. A tokenizer of transformers has the library's ids, so these stand
here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from forensics.sources.interface import AddedToken
from forensics.sources.tokenizer_files.special_roles import merge_added_tokens

if TYPE_CHECKING:
    import tokenizers

__all__ = ["place_added_tokens"]


def place_added_tokens(
    base: Sequence[str | None], tokens: Sequence[AddedToken], encoder: tokenizers.Tokenizer
) -> tuple[tuple[str | None, ...], tuple[AddedToken, ...], list[str]]:
    """Return the pieces by id, the added tokens with their ids, and remarks.

    :param base: The pieces of the model's own vocabulary by id.
    :param tokens: The added tokens as the files have them, registered in `encoder`; -1 for no id.
    :param encoder: The working tokenizer.
    """
    ids = encoder.get_vocab(with_added_tokens=True)
    placed = [_placed(token, ids[token.content]) for token in tokens if token.content in ids]
    size = max([len(base), *(token.token_id + 1 for token in placed)])
    pieces: list[str | None] = [*base, *[None] * (size - len(base))]
    covered = []
    for token in placed:
        if pieces[token.token_id] not in (None, token.content):
            covered.append(token)
        pieces[token.token_id] = token.content
    notes = []
    if covered:
        notes.append(
            f"{len(covered):,} added tokens stand at ids of other entries (the first is "
            f"{covered[0].content!r} at {covered[0].token_id}), as the tokenizers library puts them"
        )
    moved = [token for token in tokens if token.token_id not in (-1, ids.get(token.content))]
    notes += [
        f"{token.declared_in} declares {token.content!r} as id {token.token_id}, but the tokenizers library "
        f"gives it id {ids.get(token.content)}, which is what stands here"
        for token in moved[:3]
    ]
    if len(moved) > 3:
        notes.append(f"so it is with {len(moved) - 3:,} more added tokens")
    return tuple(pieces), merge_added_tokens(placed), notes


def _placed(token: AddedToken, token_id: int) -> AddedToken:
    moved = token.token_id not in (-1, token_id)
    return replace(token, token_id=token_id, declared_id=token.token_id if moved else None)
