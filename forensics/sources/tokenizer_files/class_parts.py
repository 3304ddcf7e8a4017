"""Normalizers and pre-tokenizers of transformers' tokenizer classes, as `tokenizer.json` spells them.

A folder from before `tokenizer.json` holds a vocabulary; how text is normalised and cut stands in the code of
the class that its `tokenizer_config.json` names. These functions say the same as data, from the options that
the class takes. Read off transformers 5.23; the tests compare every class with the installed one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

__all__ = [
    "PARTS",
    "Component",
    "Options",
    "Parts",
]

#: A normalizer or pre-tokenizer as `tokenizer.json` spells it.
Component = Mapping[str, object]

_MARK = "\u2581"


@dataclass(frozen=True)
class Options:
    """What tokenizer_config.json says, and the character map of a SentencePiece model."""

    values: Mapping[str, object]
    #: SentencePiece's precompiled character map, empty for none.
    charsmap: bytes = b""
    #: What SentencePiece itself does to spaces, where a class leaves that to it.
    remove_extra_whitespaces: bool = True
    dummy_prefix: bool = True

    def flag(self, name: str, default: bool) -> bool:
        """Return a true-or-false option."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else default

    def tristate(self, name: str) -> bool | None:
        """Return an option that may be left open."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else None

    def number(self, name: str, default: int) -> int:
        """Return a number that is not negative."""
        value = self.values.get(name)
        is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000
        return int(value) if is_number else default  # type: ignore[call-overload]


@dataclass(frozen=True)
class Parts:
    """What is done to text before the model sees it."""

    normalizers: tuple[Component, ...] = ()
    pre_tokenizers: tuple[Component, ...] = ()

    def normalizer(self) -> Component | None:
        """Return the normalizer of a tokenizer.json."""
        return _sequence(self.normalizers, "normalizers")

    def pre_tokenizer(self) -> Component | None:
        """Return the pre-tokenizer of a tokenizer.json."""
        return _sequence(self.pre_tokenizers, "pretokenizers")


def _sequence(steps: tuple[Component, ...], key: str) -> Component | None:
    return {"type": "Sequence", key: list(steps)} if steps else None


def _simple(kind: str) -> Component:
    return {"type": kind}


def _replace(pattern: str, content: str, regex: bool = True) -> Component:
    return {"type": "Replace", "pattern": {"Regex" if regex else "String": pattern}, "content": content}


def _strip(left: bool = False, right: bool = True) -> Component:
    return {"type": "Strip", "strip_left": left, "strip_right": right}


def _charsmap(options: Options) -> tuple[Component, ...]:
    if not options.charsmap:
        return ()
    spelt = base64.b64encode(options.charsmap).decode("ascii")
    return ({"type": "Precompiled", "precompiled_charsmap": spelt},)


def _metaspace(scheme: str = "always", split: bool = True) -> Component:
    return {"type": "Metaspace", "replacement": _MARK, "prepend_scheme": scheme, "split": split}


def _split(pattern: str, behavior: str, invert: bool = False, regex: bool = True) -> Component:
    return {
        "type": "Split",
        "pattern": {"Regex" if regex else "String": pattern},
        "behavior": behavior,
        "invert": invert,
    }


def _bytes(prefix: bool = False, regex: bool = True) -> Component:
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def _prefix(options: Options) -> str:
    return "always" if options.flag("add_prefix_space", True) else "never"


_WORDS = _simple("WhitespaceSplit")
_TWO_SPACES = _replace(" {2,}", " ")
_QUOTES = (_replace("``", '"', regex=False), _replace("''", '"', regex=False))
_ACCENTS = (_simple("NFKD"), _simple("StripAccents"))
_ENGLISH = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_QWEN2 = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN35 = (
    _ENGLISH
    + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_NOUGAT = r"""[\(\)\[\]\{\}]|([!\"#\$%\&'\*\+,\-\./:;<=>\?\\\^_`\|\~])\1*"""


def _words_and_metaspace(options: Options) -> Parts:
    return Parts(_charsmap(options), (_WORDS, _metaspace(_prefix(options))))


def _words_and_metaspace_always(options: Options) -> Parts:
    return Parts(_charsmap(options), (_WORDS, _metaspace()))


def _words_without_map(options: Options) -> Parts:
    return Parts((), (_WORDS, _metaspace()))


def _albert(options: Options) -> Parts:
    accents = () if options.flag("keep_accents", False) else _ACCENTS
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", True) else ()
    return Parts((*_QUOTES, *accents, *lower, *_charsmap(options)), (_WORDS, _metaspace(_prefix(options))))


def _xlnet(options: Options) -> Parts:
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", False) else ()
    return Parts((*_QUOTES, *_ACCENTS, *lower, *_charsmap(options)), (_WORDS, _metaspace()))


def _rembert(options: Options) -> Parts:
    accents = () if options.flag("keep_accents", True) else _ACCENTS
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", False) else ()
    return Parts(
        (*_QUOTES, _TWO_SPACES, *accents, *lower, *_charsmap(options)), (_metaspace(_prefix(options)),)
    )


def _barthez(options: Options) -> Parts:
    return Parts(
        (_replace(r"\s{2,}|[\n\r\t]", " "), _simple("NFC"), _strip()), (_metaspace(_prefix(options)),)
    )


def _deberta_v2(options: Options) -> Parts:
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", False) else ()
    punctuation: tuple[Component, ...] = (
        ({"type": "Punctuation", "behavior": "Isolated"},) if options.flag("split_by_punct", False) else ()
    )
    scheme = "always" if options.flag("add_prefix_space", True) else "first"
    return Parts(
        (*lower, _replace(r"\s{2,}|[\n\r\t]", " "), _simple("NFC"), _strip()),
        (*punctuation, _metaspace(scheme)),
    )


def _big_bird(options: Options) -> Parts:
    return Parts((_replace(" {2,}", _MARK),), (_metaspace(_prefix(options)),))


def _pegasus(options: Options) -> Parts:
    first = _charsmap(options) or (_replace(r"\n", " "),)
    return Parts((*first, _TWO_SPACES), (_metaspace(),))


def _map_and_metaspace(options: Options) -> Parts:
    mapped = _charsmap(options)
    return Parts((*mapped, _TWO_SPACES) if mapped else (), (_metaspace(),))


def _map_two_spaces(options: Options) -> Parts:
    return Parts((*_charsmap(options), _TWO_SPACES), (_metaspace(_prefix(options)),))


def _layoutxlm(options: Options) -> Parts:
    return Parts((_strip(), _replace(" {2,}", _MARK)), (_metaspace(_prefix(options)),))


def _mluke(options: Options) -> Parts:
    return Parts(_QUOTES, (_metaspace(),))


def _seamless(options: Options) -> Parts:
    return Parts(
        (
            _replace(r"[\n\r\t]", " "),
            _simple("NFKC"),
            _strip(),
            _replace(f" +{_MARK}", _MARK),
            _replace(f"^{_MARK}+$", ""),
            _replace(" {2,}", _MARK),
        ),
        (_metaspace("first"),),
    )


def _tipsv2(options: Options) -> Parts:
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", True) else ()
    return Parts((*lower, *_charsmap(options)), (_WORDS, _metaspace()))


def _llama(options: Options) -> Parts:
    if not options.flag("add_prefix_space", True):
        scheme = "never"
    else:
        scheme = "always" if options.flag("legacy", False) else "first"
    return Parts((), (_metaspace(scheme, split=False),))


def _gemma(options: Options) -> Parts:
    return Parts((_replace(" ", _MARK, regex=False),), (_split(" ", "MergedWithPrevious", regex=False),))


def _plain_spm(options: Options) -> Parts:
    return Parts((*_charsmap(options), _replace(" ", _MARK, regex=False)), ())


def _native(options: Options) -> Parts:
    """Do as SentencePiece's own processor."""
    spaces = (_replace(r"\A +| +\z", ""), _TWO_SPACES) if options.remove_extra_whitespaces else ()
    prefix: tuple[Component, ...] = ({"type": "Prepend", "prepend": _MARK},) if options.dummy_prefix else ()
    return Parts((*_charsmap(options), *spaces, _replace(" ", _MARK, regex=False), *prefix))


def _siglip(options: Options) -> Parts:
    lower = (_simple("Lowercase"),) if options.flag("do_lower_case", True) else ()
    punctuation = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""
    canonical = (*lower, _replace(punctuation, ""), _replace(r"\s+", " "), _strip(left=True))
    # The class has SentencePiece put a space before the whole text only, not behind every added token.
    native = _native(replace(options, dummy_prefix=False))
    return Parts((*canonical, *native.normalizers), (_metaspace("first", split=False),))


def _gpt_sw3(options: Options) -> Parts:
    removed = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00a0\u00ad\u200b]"
    spaces = r"[\u2002\u2003\u2005\u2008\u2009\u200a\u202f\u3000\ufffc]"
    cleaned = (_replace(removed, ""), _replace(spaces, " "), _simple("NFC"))
    return Parts((*cleaned, *_native(options).normalizers))


def _gpt2(options: Options) -> Parts:
    return Parts((), (_bytes(options.flag("add_prefix_space", False)),))


def _gpt2_prefixed(options: Options) -> Parts:
    return Parts((), (_bytes(options.flag("add_prefix_space", True)),))


def _gpt_neox(options: Options) -> Parts:
    return Parts((_simple("NFC"),), (_bytes(options.flag("add_prefix_space", False)),))


def _cohere(options: Options) -> Parts:
    digits: Component = {"type": "Digits", "individual_digits": True}
    return Parts((_simple("NFC"),), (digits, _bytes(options.flag("add_prefix_space", False))))


def _qwen(pattern: str) -> Callable[[Options], Parts]:
    def parts(options: Options) -> Parts:
        cut = _split(pattern, "Isolated")
        return Parts((_simple("NFC"),), (cut, _bytes(options.flag("add_prefix_space", False), regex=False)))

    return parts


def _nougat(options: Options) -> Parts:
    digits: Component = {"type": "Digits", "individual_digits": True}
    return Parts(
        (_simple("NFKC"),),
        (
            _split("SPL1T-TH1S-Pl3A5E", "Removed", regex=False),
            digits,
            _split(_NOUGAT, "Isolated", regex=False),
            _split("\n", "Isolated", regex=False),
            _bytes(),
        ),
    )


def _clip(options: Options) -> Parts:
    cut = _split(_CLIP, "Removed", invert=True)
    return Parts((_simple("NFC"), _replace(r"\s+", " "), _simple("Lowercase")), (cut, _bytes()))


def _bert_normalizer(chinese: bool, accents: bool | None, lower: bool) -> Component:
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": chinese,
        "strip_accents": accents,
        "lowercase": lower,
    }


def _bert(options: Options) -> Parts:
    normalizer = _bert_normalizer(
        options.flag("tokenize_chinese_chars", True),
        options.tristate("strip_accents"),
        options.flag("do_lower_case", True),
    )
    return Parts((normalizer,), (_simple("BertPreTokenizer"),))


def _herbert(options: Options) -> Parts:
    return Parts((_bert_normalizer(True, False, False),), (_simple("BertPreTokenizer"),))


def _openai(options: Options) -> Parts:
    return Parts((_bert_normalizer(True, None, True),), (_simple("BertPreTokenizer"),))


#: The name under which a recipe refers to it -> what it does.
PARTS: Mapping[str, Callable[[Options], Parts]] = {
    "words": _words_and_metaspace,
    "words-always": _words_and_metaspace_always,
    "words-no-map": _words_without_map,
    "albert": _albert,
    "xlnet": _xlnet,
    "rembert": _rembert,
    "barthez": _barthez,
    "deberta-v2": _deberta_v2,
    "big-bird": _big_bird,
    "pegasus": _pegasus,
    "map-metaspace": _map_and_metaspace,
    "map-two-spaces": _map_two_spaces,
    "layoutxlm": _layoutxlm,
    "mluke": _mluke,
    "seamless": _seamless,
    "tipsv2": _tipsv2,
    "llama": _llama,
    "gemma": _gemma,
    "plain-spm": _plain_spm,
    "native": _native,
    "siglip": _siglip,
    "gpt-sw3": _gpt_sw3,
    "gpt2": _gpt2,
    "gpt2-prefixed": _gpt2_prefixed,
    "gpt-neox": _gpt_neox,
    "cohere": _cohere,
    "qwen2": _qwen(_QWEN2),
    "qwen3.5": _qwen(_QWEN35),
    "nougat": _nougat,
    "clip": _clip,
    "bert": _bert,
    "herbert": _herbert,
    "openai": _openai,
}
