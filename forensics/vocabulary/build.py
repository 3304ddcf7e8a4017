"""`build_vocabulary`: from a tokenizer's files to what every id stands for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.progress import Progress
from forensics.schema.words import ByteRole, Category
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.reachability import Reachability, reachability
from forensics.vocabulary.scripts import script_of_text
from forensics.vocabulary.spelling import text_of_bytes, token_bytes
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["build_vocabulary", "byte_role"]


def build_vocabulary(
    source: TokenizerSource, rows: int | None = None, progress: Progress | None = None
) -> Vocabulary:
    """Work out bytes, text, category and script of every id.

    :param source: The tokenizer.
    :param rows: Number of rows of the embedding matrix; rows past the tokenizer are `unused_row`.
    :param progress: Where to report to.
    :return: Ids `0 .. max(tokenizer, rows) - 1`.

    >>> build_vocabulary(open_tokenizer("demo")).counts()["ok"]  # doctest: +SKIP
    47946
    """
    size = len(source.pieces)
    past = max(0, (rows or 0) - size)
    spelt = [*token_bytes(source), *[None] * past]
    texts = [text_of_bytes(data) for data in spelt]
    special = _special_ids(source)
    tried = {token_id: text for token_id, text in enumerate(texts) if text is not None}
    reached = reachability(source.encoder, tried, progress)
    added = {token.token_id for token in source.added_tokens}
    ids = range(size + past)
    roles = [byte_role(data) for data in spelt]
    return Vocabulary(
        pieces=(*source.pieces, *[None] * past),
        bytes=tuple(spelt),
        text=tuple(texts),
        category=np.array(
            [_category(i, spelt[i], texts[i], i in special, reached) for i in ids], dtype=np.str_
        ),
        is_byte=np.array([role is not None for role in roles], dtype=np.bool_),
        is_special=np.array([i in special for i in ids], dtype=np.bool_),
        is_added=np.array([i in added for i in ids], dtype=np.bool_),
        is_partial_utf8=np.array(_partial(spelt, texts), dtype=np.bool_),
        byte_role=np.array([role or "" for role in roles], dtype=np.str_),
        reserved=tuple(source.declared_unused.get(i) for i in ids),
        script=np.array([script_of_text(text) for text in texts], dtype=np.str_),
        context=tuple(reached.context.get(i) for i in ids),
        reencoded=reached.reencoded,
        tokenizer_size=size,
    )


def byte_role(data: bytes | None) -> ByteRole | None:
    """Return what a single byte can be in UTF-8, or None if `data` is not one byte.

    >>> byte_role(b"a"), byte_role(bytes([0xC0])), byte_role(b"ab")
    (<ByteRole.ASCII: 'ascii'>, <ByteRole.NEVER_VALID: 'never_valid'>, None)
    """
    if data is None or len(data) != 1:
        return None
    byte = data[0]
    if byte < 0x80:
        return ByteRole.ASCII
    if byte < 0xC0:
        return ByteRole.CONTINUATION
    return ByteRole.LEAD if 0xC2 <= byte <= 0xF4 else ByteRole.NEVER_VALID


def _special_ids(source: TokenizerSource) -> set[int]:
    """Return the ids declared special, or named for a special role."""
    declared = {token.token_id for token in source.added_tokens if token.special}
    return declared | {token_id for given in source.special_roles.values() for token_id in given.values()}


def _partial(spelt: Sequence[bytes | None], texts: Sequence[str | None]) -> list[bool]:
    return [
        data is not None and len(data) > 1 and text is None for data, text in zip(spelt, texts, strict=True)
    ]


def _category(
    token_id: int, data: bytes | None, text: str | None, is_special: bool, reached: Reachability
) -> Category:
    """Return the category of one token."""
    if data is None:
        return Category.UNUSED_ROW
    is_reached = token_id in reached.context
    if is_special:
        return Category.OK_SPECIAL if is_reached else Category.UNREACHABLE_SPECIAL
    if data and text is None:
        return Category.UNDECODABLE
    if is_reached:
        return Category.OK
    given = reached.reencoded.get(token_id, ())
    return Category.UNREACHABLE_SINGLE if len(given) == 1 else Category.UNREACHABLE_MULTI
