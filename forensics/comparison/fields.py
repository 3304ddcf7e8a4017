"""Normalizer, pre-tokenizer, decoder, post-processor, added tokens and roles, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from forensics.schema.compare import AddedTokenDifference, FieldDifference
from forensics.sources.interface import TokenizerSource

if TYPE_CHECKING:
    import tokenizers

    from forensics.schema.record import JsonValue

__all__ = ["compare_added_tokens", "compare_fields"]

_PARTS = ("normalizer", "pre_tokenizer", "decoder", "post_processor")


def compare_fields(a: TokenizerSource, b: TokenizerSource) -> tuple[FieldDifference, ...]:
    """Return the settings in which two tokenizers differ, in a fixed order.

    Compared are what the library was given, not how a file spells it; roles by the text of their token.

    :param a: One tokenizer.
    :param b: The other.
    """
    of_a, of_b = dict(_settings(a)), dict(_settings(b))
    paths = sorted(of_a.keys() | of_b.keys())
    return tuple(
        FieldDifference(path, of_a.get(path), of_b.get(path))
        for path in paths
        if of_a.get(path) != of_b.get(path)
    )


def compare_added_tokens(a: TokenizerSource, b: TokenizerSource) -> tuple[AddedTokenDifference, ...]:
    """Return the added tokens that one side lacks, numbers otherwise or matches otherwise.

    The ids are those that the library gives; what a file declares may be another one.
    """
    of_a, of_b = _added(a.encoder), _added(b.encoder)
    found = []
    for content in dict.fromkeys((*of_a, *of_b)):
        one, other = of_a.get(content), of_b.get(content)
        flags = ""
        if one is not None and other is not None:
            names = ("special", "lstrip", "rstrip", "single_word", "normalized")
            flags = ", ".join(name for name in names if getattr(one[1], name) != getattr(other[1], name))
        if one is None or other is None or one[0] != other[0] or flags:
            found.append(
                AddedTokenDifference(
                    content, None if one is None else one[0], None if other is None else other[0], flags
                )
            )
    return tuple(found)


def _added(encoder: tokenizers.Tokenizer) -> dict[str, tuple[int, tokenizers.AddedToken]]:
    given = encoder.get_added_tokens_decoder()
    return {given[token_id].content: (token_id, given[token_id]) for token_id in sorted(given)}


def _settings(source: TokenizerSource) -> Iterator[tuple[str, str]]:
    import tokenizers

    yield "algorithm", source.model.value
    yield "byte_level", json.dumps(source.byte_level)
    yield "byte_fallback", json.dumps(source.byte_fallback)
    model = source.encoder.model
    for name in ("ignore_merges", "unk_token", "end_of_word_suffix", "continuing_subword_prefix"):
        value = getattr(model, name, None)
        if value:
            yield f"model.{name}", json.dumps(value, ensure_ascii=False)
    if source.adds_bos is not None:
        yield "adds_bos", json.dumps(source.adds_bos)
    # Serialising the whole tokenizer costs seconds; the small parts are, inside an empty one.
    empty = tokenizers.Tokenizer(tokenizers.models.WordLevel({}, unk_token=""))
    for part in _PARTS:
        if (value := getattr(source.encoder, part)) is not None:
            setattr(empty, part, value)
    settings = json.loads(empty.to_str())
    for part in _PARTS:
        yield from _leaves(settings[part], part)
    for role, claims in sorted(source.special_roles.items()):
        pieces = {source.pieces[token_id] for token_id in claims.values() if token_id < len(source.pieces)}
        yield f"role {role}", json.dumps(sorted(piece or "" for piece in pieces), ensure_ascii=False)


def _leaves(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    elif value is not None:
        yield path, json.dumps(value, ensure_ascii=False)
