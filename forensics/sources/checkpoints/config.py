"""What a model's configuration says: vocabulary size, tying, kind of model.

Two dialects are understood, Hugging Face's `config.json` (multi-part models keep the language model
in a nested section) and GGUF metadata. Nothing here believes the configuration about the weights;
it is read to be compared with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ModelConfig", "gguf_config", "huggingface_config", "language_sections", "named_code"]

#: Sections in which multi-part models describe their language model, in order of preference.
TEXT_SECTIONS = ("text_config", "llm_config", "language_config", "thinker_config", "decoder")
#: Ends of architecture names whose models have an unembedding.
HEADED = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForMaskedLM", "ForPreTraining",
          "WithLMHeadModel", "ForImageTextToText")  # fmt: skip
CAUSAL = ("ForCausalLM", "LMHeadModel")
#: Hugging Face model types and GGUF architectures that are encoders: no unembedding unless stored.
_ENCODERS = """
    albert bert camembert clip clip_text_model deberta deberta-v2 distilbert electra ernie esm eurobert
    gemma-embedding gte jina-bert-v2 jina-bert-v3 llama-embed model2vec modern-bert modernbert mpnet
    neo-bert new nomic-bert nomic-bert-moe nomic_bert roberta siglip t5encoder xlm-roberta
"""
ENCODERS = frozenset(_ENCODERS.split())
#: Model types that are causal language models where `config.json` names no architecture.
_DECODERS = """
    bloom falcon gemma gemma2 gemma3_text gpt2 gpt_neo gpt_neox gptj llama mamba mistral mixtral mpt olmo
    olmo2 opt phi phi3 qwen2 qwen3 smollm3 stablelm starcoder2
"""
DECODERS = frozenset(_DECODERS.split())
#: GGUF architectures that have an unembedding without being causal language models.
GGUF_NOT_CAUSAL = frozenset({"t5", "wavtokenizer-dec", "dream", "llada", "llada-moe", "rnd1"})
#: Entries that choose the code by which a model is computed; transformers may fetch it from the hub.
_CODE_KEY = re.compile(r"(?:attn|attention|experts)_implementation|^use_kernels$|kernel_config$")
#: Names of the number of blocks in `config.json`, over the generations of models.
BLOCK_COUNTS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")


@dataclass(frozen=True)
class ModelConfig:
    """The statements of a configuration that the weights are compared with."""

    #: The mapping it came from.
    values: Mapping[str, Any]
    #: Claimed number of rows, or None.
    vocab_size: int | None = None
    #: Claimed width of the embedding, or None.
    hidden_size: int | None = None
    #: Claimed tying, or None where nothing is said.
    tied: bool | None = None
    #: Whether this kind of model has an unembedding; None where the configuration does not tell.
    has_head: bool | None = None
    #: What `has_head` rests on.
    head_evidence: str = "no configuration"
    #: Whether it describes a causal language model.
    is_causal: bool = False
    #: Claimed number of transformer blocks, or None.
    block_count: int | None = None


def huggingface_config(values: Mapping[str, Any]) -> ModelConfig:
    """Read `config.json`, looking into the language section of multi-part models.

    :param values: The parsed file.
    :return: Its statements; those of a wrong type count as not made.
    """
    sections = list(language_sections(values))
    architectures = [a for a in _list(values.get("architectures")) if isinstance(a, str)]
    model_type = values.get("model_type")
    has_head, evidence = _has_head(architectures, model_type)
    tied = next((s["tie_word_embeddings"] for s in (values, *sections) if _says_tied(s)), None)
    return ModelConfig(
        values,
        vocab_size=_count(sections, "vocab_size", "padded_vocab_size"),
        hidden_size=_count(sections, "hidden_size", "n_embd", "d_model", "dim"),
        tied=tied,
        has_head=has_head,
        head_evidence=evidence,
        is_causal=_is_causal(architectures, values, has_text_section=len(sections) > 1),
        block_count=_count(sections, *BLOCK_COUNTS),
    )


def named_code(values: Mapping[str, Any]) -> list[str]:
    """Return remarks on entries of `config.json` that name code to run: none of them is heeded.

    :param values: The parsed file.
    """
    remarks = []
    for section in (values, *(v for v in values.values() if isinstance(v, dict))):
        for key, value in section.items():
            if _CODE_KEY.search(key) and value not in (None, False, "eager", "sdpa"):
                remarks.append(
                    f"config.json names code to run ({key}: {str(value)[:80]!r}); it is not heeded"
                )
    return list(dict.fromkeys(remarks))


def gguf_config(metadata: Mapping[str, Any]) -> ModelConfig:
    """Read GGUF metadata.

    :param metadata: All of it; the tokenizer's entries are left out of `values`.
    :return: Its statements.
    """
    values = {key: value for key, value in metadata.items() if not key.startswith("tokenizer.")}
    architecture = metadata.get("general.architecture")
    tokens = metadata.get("tokenizer.ggml.tokens")
    vocab_size = _count([metadata], f"{architecture}.vocab_size")
    if vocab_size is None and isinstance(tokens, list):
        vocab_size = len(tokens)
    is_encoder = (
        isinstance(architecture, str) and architecture in ENCODERS
    ) or f"{architecture}.pooling_type" in metadata
    named = isinstance(architecture, str) and architecture != "clip"
    return ModelConfig(
        values,
        vocab_size=vocab_size,
        hidden_size=_count([metadata], f"{architecture}.embedding_length"),
        has_head=(not is_encoder) if named else None,
        head_evidence=f"GGUF architecture {architecture!r}",
        is_causal=named and not is_encoder and str(architecture) not in GGUF_NOT_CAUSAL,
        block_count=_count([metadata], f"{architecture}.block_count"),
    )


def language_sections(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the nested language sections, innermost first, then the top level."""
    for name in TEXT_SECTIONS:
        section = values.get(name)
        if isinstance(section, dict):
            inner = section.get("text_config")
            if isinstance(inner, dict):
                yield inner
            yield section
    yield values


def _has_head(architectures: list[str], model_type: Any) -> tuple[bool | None, str]:
    if architectures:
        return any(a.endswith(HEADED) for a in architectures), f"architecture {', '.join(architectures)}"
    if not isinstance(model_type, str):
        return None, "the configuration names no architecture"
    if model_type in ENCODERS:
        return False, f"model type {model_type!r} is an encoder"
    if model_type in DECODERS:
        return True, f"model type {model_type!r} is a language model"
    return None, "the configuration names no architecture"


def _is_causal(architectures: list[str], values: Mapping[str, Any], *, has_text_section: bool) -> bool:
    if not architectures:
        model_type = values.get("model_type")
        return isinstance(model_type, str) and model_type in DECODERS
    # A vision-language model is a causal language model with more inputs; T5 and BART are not.
    is_multi_part = has_text_section and values.get("is_encoder_decoder") is not True
    ends = (*CAUSAL, "ForConditionalGeneration") if is_multi_part else CAUSAL
    return any(a.endswith(ends) for a in architectures)


def _says_tied(section: Mapping[str, Any]) -> bool:
    return isinstance(section.get("tie_word_embeddings"), bool)


def _count(sections: list[Mapping[str, Any]], *names: str) -> int | None:
    for section in sections:
        for name in names:
            value = section.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
