"""Pre-tokenizers by the names under which files refer to them, as a table.

A GGUF file names its pre-tokenizer with a word of llama.cpp's (`tokenizer.ggml.pre`), a tiktoken rank file
names nothing and is known by its hash. (Classes of transformers are in `class_parts`.) The rules are those
of the tokenizers' own `tokenizer.json` where llama.cpp's source (src/llama-vocab.cpp) quotes them, else
llama.cpp's.

Left out, because they need code that no regular expression expresses or could not be checked
character by character: `afmoe`, `chameleon`, `deepseek-llm`, `jina-*`, `kimi-k2`, `superbpe`, `youtu`.
A name that is not in the table is reported as unknown and never replaced by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import normalizers, pre_tokenizers

__all__ = ["LLAMA_CPP_NAMES", "Pretokenizer", "byte_level_only"]

# Steps: what is done to the text in turn. Each splits further what the one before left.
#: Byte-to-character mapping alone.
_BYTES = ("bytes", "")
#: Byte-to-character mapping after splitting with GPT-2's regular expression.
_GPT2 = ("gpt2", "")


@dataclass(frozen=True)
class Pretokenizer:
    """How text is cut into the pre-tokens that BPE works on."""

    #: `(kind, argument)` in order: `split` (a regular expression whose matches stand alone), `digits`
    #: (`each` alone or a `run` together), `punctuation` (runs stand alone), `gpt2`, `bytes`.
    steps: tuple[tuple[str, str], ...]
    #: A pre-token that is in the vocabulary is taken whole, merges or not.
    ignore_merges: bool = False
    #: Unicode normalisation before splitting, or None.
    normalization: str | None = None
    #: What a reader should know about the rule.
    remark: str | None = None

    def make(self, add_prefix_space: bool = False) -> pre_tokenizers.PreTokenizer:
        """Return the pre-tokenizer as the `tokenizers` library has it.

        :param add_prefix_space: Put a space before a text that does not begin with one.
        """
        from tokenizers import pre_tokenizers

        made = [_step(kind, argument, add_prefix_space) for kind, argument in self.steps]
        return made[0] if len(made) == 1 else pre_tokenizers.Sequence(made)

    def make_normalizer(self) -> normalizers.Normalizer | None:
        """Return the normalizer, or None."""
        from tokenizers import normalizers

        return normalizers.NFC() if self.normalization == "NFC" else None


def _step(kind: str, argument: str, add_prefix_space: bool) -> pre_tokenizers.PreTokenizer:
    from tokenizers import Regex, pre_tokenizers

    if kind == "split":
        return pre_tokenizers.Split(Regex(argument), behavior="isolated")
    if kind == "digits":
        return pre_tokenizers.Digits(individual_digits=argument == "each")
    if kind == "punctuation":
        return pre_tokenizers.Punctuation(behavior="contiguous")
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=kind == "gpt2")


def byte_level_only() -> Pretokenizer:
    """Return the rule that cuts nothing: for files that do not say how they cut."""
    return Pretokenizer((_BYTES,))


def _split(*patterns: str, ignore_merges: bool = False, normalization: str | None = None) -> Pretokenizer:
    steps = (*(("split", pattern) for pattern in patterns), _BYTES)
    return Pretokenizer(steps, ignore_merges, normalization)


_GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + _REST
_QWEN2 = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + _REST
_QWEN35 = (
    _ENGLISH
    + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# One word, either ending in small letters or all in capitals.
_LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_REST_SLASH = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_TEKKEN = "|".join((_LOWER, _UPPER, r"\p{N}", _REST_SLASH))
_O200K = "|".join((_LOWER + _ENGLISH + "?", _UPPER + _ENGLISH + "?", r"\p{N}{1,3}", _REST_SLASH))
_BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"
_DEEPSEEK_V3 = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
_DEEPSEEK_CODER = (
    r"[\r\n]",
    r"\s?\p{L}+",
    r"\s?\p{P}+",
    "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
    r"\p{N}",
)
_BAILING = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
_SEED = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
_EXAONE_MOE = (
    _ENGLISH
    + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
    + r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
)

GPT2 = Pretokenizer((_GPT2,))
DIGITS_GPT2 = Pretokenizer((("digits", "each"), _GPT2))
LLAMA3 = _split(_LLAMA3, ignore_merges=True)
CL100K = _split(_LLAMA3)
QWEN2 = _split(_QWEN2)
QWEN2_NFC = _split(_QWEN2, normalization="NFC")
O200K = _split(_O200K)
#: llama.cpp's own rule, used where a file names none; no released tokenizer is known to have it.
LLAMA_CPP_DEFAULT = _split(
    r"[\p{P}\$\+<=>\^~\|]+", _GPT2_PATTERN.removesuffix(r"|\s+"), r"\p{N}+", "[0-9][0-9][0-9]"
)
# Falcon's own order: digits are looked for among the characters that spell bytes, so that the
# bytes spelt with superscript digits and fractions are cut off too.
FALCON = Pretokenizer((("punctuation", ""), _GPT2, ("digits", "run"), ("split", "[0-9][0-9][0-9]")))

_BY_RULE: tuple[tuple[Pretokenizer, str], ...] = (
    (LLAMA_CPP_DEFAULT, "default"),
    (
        GPT2,
        "gpt-2 phi-2 mpt olmo jais gigachat a.x-4.0 mellum modern-bert roberta-bpe trillion granite-docling "
        "exaone4",
    ),
    (DIGITS_GPT2, "smollm starcoder refact command-r codeshell exaone minerva-7b"),
    (LLAMA3, "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2"),
    (CL100K, "dbrx smaug-bpe glm4 chatglm-bpe"),
    (
        Pretokenizer(
            QWEN2.steps,
            remark="Qwen's own tokenizer normalises text to NFC first; a GGUF file does not say so and "
            "llama.cpp does not do it, nor is it done here",
        ),
        "qwen2 deepseek-r1-qwen megrez kormo",
    ),
    (QWEN2, "stablelm2 hunyuan solar-open grok-2"),
    (_split(_QWEN35), "qwen35"),
    (_split(*_DEEPSEEK_V3), "deepseek-v3 hunyuan-dense"),
    (_split(*_DEEPSEEK_CODER), "deepseek-coder"),
    (FALCON, "falcon"),
    (_split(_TEKKEN, ignore_merges=True), "tekken"),
    (O200K, "gpt-4o llama4 minimax-m2"),
    (_split(_BLOOM), "bloom poro-chat gpt3-finnish"),
    (_split(_BLOOM, r"\p{N}"), "viking"),
    (_split(_BAILING), "bailingmoe bailingmoe2 llada-moe"),
    (_split(_SEED), "seed-coder"),
    (_split(_EXAONE_MOE), "exaone-moe"),
)

#: llama.cpp's name (`tokenizer.ggml.pre`) -> rule.
LLAMA_CPP_NAMES: dict[str, Pretokenizer] = {name: rule for rule, names in _BY_RULE for name in names.split()}
