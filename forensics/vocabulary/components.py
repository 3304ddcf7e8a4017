"""The normalizer and pre-tokenizer of an encoder as data, and encoders with other ones.

The `tokenizers` objects do not tell their settings. Serialising the whole tokenizer costs seconds for a
large vocabulary, so only the small parts are, inside an empty tokenizer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forensics.sources.tokenizer_files.sentencepiece_encoder import PREFIX_PATTERN

if TYPE_CHECKING:
    import tokenizers

__all__ = ["components", "without_automatic_prefix"]

_PARTS = ("normalizer", "pre_tokenizer")


def components(encoder: tokenizers.Tokenizer) -> dict[str, Any]:
    """Return the JSON settings of `normalizer` and `pre_tokenizer` (None where there is none)."""
    import tokenizers

    empty = tokenizers.Tokenizer(tokenizers.models.WordLevel({}, unk_token=""))
    for part in _PARTS:
        if (value := getattr(encoder, part)) is not None:
            setattr(empty, part, value)
    settings = json.loads(empty.to_str())
    return {part: settings[part] for part in _PARTS}


def without_automatic_prefix(encoder: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Return an encoder that puts no space in front of a text, else the same as `encoder`.

    The model is shared and `encoder` is left as it is. If it adds no space anyway it is returned itself.
    """
    import tokenizers

    settings = components(encoder)
    changed = {part: _without_prefix(settings[part]) for part in _PARTS}
    if changed == settings:
        return encoder
    empty = json.loads(tokenizers.Tokenizer(tokenizers.models.WordLevel({}, unk_token="")).to_str())
    parts = tokenizers.Tokenizer.from_str(json.dumps({**empty, **changed}))
    guarded = tokenizers.Tokenizer(encoder.model)
    for part in _PARTS:
        if changed[part] is not None:
            setattr(guarded, part, getattr(parts, part))
    added = encoder.get_added_tokens_decoder()
    guarded.add_tokens([added[token_id] for token_id in sorted(added)])
    guarded.encode_special_tokens = encoder.encode_special_tokens
    return guarded


def _without_prefix(settings: Any) -> Any:
    """Return the settings of a component without what prepends a space."""
    if not isinstance(settings, dict):
        return settings
    for key in ("normalizers", "pretokenizers"):
        if key in settings:
            kept = [_without_prefix(part) for part in settings[key]]
            return {**settings, key: [part for part in kept if part is not None]}
    kind = settings.get("type")
    if kind == "Prepend":
        return None
    if kind == "Replace" and str(settings["pattern"].get("Regex", "")).startswith(PREFIX_PATTERN):
        return None
    if kind == "Metaspace":
        return {**settings, "prepend_scheme": "never"}
    if kind == "ByteLevel" and settings.get("add_prefix_space"):
        return {**settings, "add_prefix_space": False}
    return settings
