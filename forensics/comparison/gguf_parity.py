"""Whether a GGUF file's tokenizer is the one of the Hugging Face files, compared by bytes.

Types matter: llama.cpp matches a CONTROL token in text only where special parsing is on, Hugging Face always;
a token typed NORMAL is matched by neither. The ids of the probe text are those of the tokenizer rebuilt from
the GGUF's arrays as llama.cpp would use it; no engine is run. A file that was rebuilt from the GGUF itself
is no evidence of parity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from forensics.comparison.merge_order import merges_in_bytes
from forensics.comparison.spelt import SpeltVocabulary
from forensics.schema.compare_rules import RULES
from forensics.schema.finding import Evidence, Finding, Level
from forensics.sources.gguf.metadata import (
    CONTROL,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    GGUFTokenizer,
)
from forensics.sources.interface import TokenizerSource

if TYPE_CHECKING:
    import tokenizers

__all__ = ["PROBES", "first_difference", "gguf_parity"]

#: Spaces, digits, contractions, scripts, combining marks, emoji, code: what pre-tokenizers treat apart.
PROBES = (
    "Hello world, it's 12345.67 today!  Two  spaces,\ttab\n\nand lines.\r\n",
    "  leading and trailing  ",
    "I'LL we'Ve DON'T caf\u00e9 cafe\u0301 na\u00efve \u00c5",
    "\u6771\u4eac\u3068\u5927\u962a \u041f\u0440\u0438\u0432\u0435\u0442 \u0645\u0631\u062d\u0628\u0627 "
    "\u0939\u093f\u0928\u094d\u0926\u0940 \ud55c\uad6d\uc5b4 \u0e44\u0e17\u0e22",
    "\U0001f642\U0001f469\u200d\U0001f680 a\u00a0b\u3000c \u2026 \u201cquoted\u201d \u00bd x\u00b2",
    "def f(x):\n    return x[0]['key'] != 3.14e-10  # ???\n\t\tpass",
)
_TYPES = {NORMAL: "NORMAL", CONTROL: "CONTROL", USER_DEFINED: "USER_DEFINED", UNUSED: "UNUSED"}
_SHOWN = 5


def gguf_parity(
    model: tuple[TokenizerSource, SpeltVocabulary],
    converted: tuple[TokenizerSource, SpeltVocabulary],
    metadata: GGUFTokenizer,
) -> tuple[Finding, ...]:
    """Return in what a GGUF file's tokenizer differs from the original.

    :param model: The original, from Hugging Face files, and its vocabulary.
    :param converted: The tokenizer of the GGUF file and its vocabulary.
    :param metadata: The GGUF file's own entries.
    """
    return (
        *_sizes(model[1], converted[1], metadata),
        *_pieces(model[1], converted[1]),
        *_types(model[0], metadata),
        *_merges(model, converted),
        *_pre_tokenizer(model[0].encoder, converted[0], metadata),
        *_flags(model[0], converted[0], metadata),
        *_ids(model[0].encoder, converted[0].encoder),
        *_templates(model[0].chat_template, converted[0].chat_template),
    )


def first_difference(
    one: tokenizers.Tokenizer, other: tokenizers.Tokenizer, text: str
) -> tuple[str, list[int], list[int]] | None:
    """Return the text before the first different token, and a few ids from there on either side.

    :return: None if both give the same ids.
    """
    a, b = one.encode(text, add_special_tokens=False), other.encode(text, add_special_tokens=False)
    if a.ids == b.ids:
        return None
    shared = _first(a.ids, b.ids)
    before = text[: a.offsets[shared][0]] if shared < len(a.ids) else text
    return before, a.ids[shared : shared + _SHOWN], b.ids[shared : shared + _SHOWN]


def _finding(
    rule: str, subject: str, message: str, level: Level | None = None, evidence: Evidence | None = None
) -> Finding:
    return Finding(rule, level or RULES[rule].level, message, subject, evidence=evidence or {})


def _sizes(model: SpeltVocabulary, converted: SpeltVocabulary, metadata: GGUFTokenizer) -> Iterator[Finding]:
    if len(model) == len(converted):
        return
    unused = int((metadata.types[len(model) :] == UNUSED).sum())
    message = (
        f"the original has {len(model):,} ids, the GGUF file {len(converted):,} ({unused:,} of them unused)"
    )
    yield _finding("parity/size", "ids", message, evidence={"model": len(model), "gguf": len(converted)})
    missing = [piece for piece in model.pieces[len(converted) :] if piece is not None]
    if missing:
        names = _some(map(repr, missing))
        message = f"{len(missing):,} tokens of the original are not in the GGUF file: {names}"
        yield _finding("parity/piece", "missing", message, evidence={"count": len(missing)})


def _pieces(model: SpeltVocabulary, converted: SpeltVocabulary) -> Iterator[Finding]:
    differing = [
        f"id {token_id} is {one!r} and {other!r}"
        for token_id, (one, other) in enumerate(zip(model.bytes, converted.bytes, strict=False))
        # A gap on one side is filled with padding on the other.
        if one != other and one is not None
    ]
    if differing:
        message = f"{len(differing):,} ids stand for other bytes in the GGUF file: {_some(differing)}"
        yield _finding("parity/piece", "bytes", message, evidence={"count": len(differing)})


def _types(model: TokenizerSource, metadata: GGUFTokenizer) -> Iterator[Finding]:
    special = {token.token_id: token.special for token in model.added_tokens}
    roles = {token_id for claims in model.special_roles.values() for token_id in claims.values()}
    wrong: dict[str, list[str]] = {}
    for token_id in range(min(len(model.pieces), len(metadata.pieces))):
        found = _TYPES.get(int(metadata.types[token_id]))
        if found is None:  # bytes, and the unknown token
            continue
        if token_id in special:
            expected = "CONTROL" if special[token_id] else "USER_DEFINED"
        elif token_id in roles or found == "UNUSED":
            continue
        else:
            expected = "NORMAL"
        if found != expected:
            wrong.setdefault(f"{found} where {expected} is meant", []).append(repr(model.pieces[token_id]))
    for how, pieces in wrong.items():
        message = f"{len(pieces):,} tokens are {how}: {_some(pieces)}"
        yield _finding("parity/type", how, message, evidence={"count": len(pieces)})


def _merges(
    model: tuple[TokenizerSource, SpeltVocabulary], converted: tuple[TokenizerSource, SpeltVocabulary]
) -> Iterator[Finding]:
    # A SentencePiece kind has scores in place of merges, from which the reader makes a list of its own.
    if not model[0].merges or not converted[0].byte_level or not converted[0].merges:
        return
    one, other = merges_in_bytes(*model), merges_in_bytes(*converted)
    if one == other:
        return
    at = _first(one, other)
    message = (
        f"{len(one):,} merges in the original, {len(other):,} in the GGUF file; the first difference is at "
        f"merge {at:,}: {one[at : at + 1]} and {other[at : at + 1]}"
    )
    yield _finding("parity/merges", "merges", message, evidence={"first": at})


def _pre_tokenizer(
    model: tokenizers.Tokenizer, converted: TokenizerSource, metadata: GGUFTokenizer
) -> Iterator[Finding]:
    if not converted.byte_level:
        return
    if metadata.pre in (None, "default") or converted.pretokenizer_origin is None:
        name = (
            "names no pre-tokenizer" if metadata.pre is None else f"names the pre-tokenizer {metadata.pre!r}"
        )
        message = f"the GGUF file {name}: engines then fall back to a rule of their own"
        yield _finding("parity/pre", "pre-tokenizer", message, Level.ERROR)
        return
    for text in PROBES:
        one, other = _cuts(model, text), _cuts(converted.encoder, text)
        if one != other:
            at = _first(one, other)
            message = f"{metadata.pre!r} cuts {text!r} otherwise: {one[at : at + 3]} and {other[at : at + 3]}"
            yield _finding("parity/pre", "pre-tokenizer", message)
            return


def _cuts(encoder: tokenizers.Tokenizer, text: str) -> list[str]:
    normalized = encoder.normalizer.normalize_str(text) if encoder.normalizer is not None else text
    if encoder.pre_tokenizer is None:
        return [normalized]
    return [word for word, _ in encoder.pre_tokenizer.pre_tokenize_str(normalized)]


def _flags(model: TokenizerSource, converted: TokenizerSource, metadata: GGUFTokenizer) -> Iterator[Finding]:
    around = model.encoder.encode("a", add_special_tokens=True).ids
    bare = model.encoder.encode("a", add_special_tokens=False).ids
    begins, ends = (around[: len(around) - len(bare)], around[len(bare) :]) if around != bare else ([], [])
    role_ids = {role: set(claims.values()) for role, claims in model.special_roles.items()}
    adds_bos = bool(role_ids.get("bos", set()) & set(begins)) if model.adds_bos is None else model.adds_bos
    adds_eos = bool(role_ids.get("eos", set()) & set(ends))
    for name, original, other in (
        ("add_bos_token", adds_bos, bool(converted.adds_bos)),
        ("add_eos_token", adds_eos, metadata.flag("add_eos_token", False)),
    ):
        if original != other:
            message = (
                f"{name} is {str(original).lower()} in the original and {str(other).lower()} in the GGUF file"
            )
            yield _finding("parity/flag", name, message)
    for role, claims in sorted(converted.special_roles.items()):
        known = role_ids.get(role)
        if known and not known & set(claims.values()):
            message = (
                f"the {role} token is {_some(map(str, sorted(known)))} in the original and "
                f"{_some(map(str, claims.values()))} in the GGUF file"
            )
            yield _finding("parity/flag", f"{role} id", message)


def _ids(one: tokenizers.Tokenizer, other: tokenizers.Tokenizer) -> Iterator[Finding]:
    differing = [(text, found) for text in PROBES if (found := first_difference(one, other, text))]
    if differing:
        text, (before, a, b) = differing[0]
        message = (
            f"{len(differing)} of {len(PROBES)} texts give other ids; after {before[-20:]!r} of {text!r} the "
            f"original gives {a} and the GGUF file {b}"
        )
        yield _finding("parity/ids", "probe texts", message, evidence={"texts": len(differing)})


def _templates(one: str | None, other: str | None) -> Iterator[Finding]:
    if (one or "").strip() == (other or "").strip():
        return
    sizes = ["none" if text is None else f"{len(text):,} characters" for text in (one, other)]
    message = f"the chat template is {sizes[0]} in the original and {sizes[1]} in the GGUF file"
    yield _finding("parity/template", "chat template", message)


def _first(one: Sequence[object], other: Sequence[object]) -> int:
    """Return the place of the first difference, the shorter length where there is none before."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))


def _some(items: Iterable[str]) -> str:
    every = list(items)
    more = f", and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
