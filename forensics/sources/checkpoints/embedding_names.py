"""The names under which models store their embedding and unembedding: data, no logic.

A name fits if it equals an entry or ends with it after a dot, so prefixes (`model.`, `transformer.`,
`language_model.model.`, `gpt_neox.`, ...) need no rows of their own. Earlier entries are preferred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "EMBEDDING_NAMES",
    "ENCODER_EMBEDDING",
    "HEAD_BIASES",
    "HEAD_NAMES",
    "IN_BLOCK",
    "OTHER_MODALITY",
    "HeadName",
    "fits",
]

#: E_in, with the models that use the name.
EMBEDDING_NAMES = (
    "embed_tokens.weight",  # Llama, Mistral, Qwen, Gemma, OLMo, Phi, OPT, BART and T5 stacks
    "token_embd.weight",  # GGUF
    "tokens_embed.weight",  # GPT, the first
    "wte.weight",  # GPT-2, GPT-J, GPT-BigCode, MPT, Qwen 1, old OLMo and Phi
    "embed_in.weight",  # GPT-NeoX, Pythia
    "tok_embeddings.weight",  # Llama and Mistral as first released, ModernBERT, InternLM 2
    "shared.weight",  # T5, BART, Pegasus
    "word_embeddings.weight",  # BLOOM, Falcon, BERT, RoBERTa, ChatGLM
    "token_embedding.weight",  # CLIP and SigLIP text towers
    "word_embedding.weight",  # XLNet
    "embeddings.weight",  # Mamba, XLM
    "embedding.weight",  # Mamba as first released, StaticEmbedding
    "embeddings",  # model2vec
    "emb.weight",  # RWKV
    "embed.weight",  # DeepSeek as first released
)


@dataclass(frozen=True)
class HeadName:
    """A name of the unembedding."""

    #: The end of the tensor name.
    suffix: str
    #: Whether the name is the unembedding's alone; others are also used for classifiers and inner
    #: layers and count only if the number of rows is the vocabulary's.
    is_certain: bool


#: E_out, with the models that use the name.
HEAD_NAMES = (
    HeadName("lm_head.weight", True),  # nearly everybody
    HeadName("embed_out.weight", True),  # GPT-NeoX, Pythia, StableLM alpha
    HeadName("cls.predictions.decoder.weight", True),  # BERT
    HeadName("lm_head.decoder.weight", True),  # RoBERTa
    HeadName("predictions.decoder.weight", True),  # ALBERT
    HeadName("lm_head.linear.weight", True),  # Phi 1 as first released
    HeadName("generator_lm_head.weight", True),  # ELECTRA
    HeadName("vocab_projector.weight", True),  # DistilBERT
    HeadName("ff_out.weight", False),  # OLMo as first released
    HeadName("output.weight", False),  # GGUF, Llama as first released, InternLM 2
    HeadName("output_layer.weight", False),  # ChatGLM
    HeadName("head.weight", False),  # RWKV, DeepSeek as first released
    HeadName("proj_out.weight", False),  # Whisper
    HeadName("decoder.weight", False),  # ModernBERT
)

#: Bias of the head, shape (V,).
HEAD_BIASES = (
    "lm_head.bias",  # Phi 1 to 2, GPT-J
    "embed_out.bias",
    "output.bias",  # GGUF
    "cls.predictions.bias",  # BERT
    "cls.predictions.decoder.bias",
    "lm_head.decoder.bias",
    "predictions.bias",
    "lm_head.linear.bias",
    "generator_lm_head.bias",  # ELECTRA
    "vocab_projector.bias",
    "decoder.bias",  # ModernBERT
    "final_logits_bias",  # BART, shape (1, V)
)

#: Parts of multi-part models that are not the language model.
OTHER_MODALITY = re.compile(
    r"vision|visual|image|audio|speech|talker|code2wav|codec|vqmodel|video|encoder_dit|draft|mtp"
)
#: Names of `E_in` that encoders and static embedding models use and language models do not.
ENCODER_EMBEDDING = re.compile(
    r"(?:^|\.)embeddings\.(?!weight$)|token_embedding\.|^embeddings?(?:\.weight)?$"
)
#: Inside a transformer block (also the multi-token-prediction copies that DeepSeek-V3 keeps there).
IN_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|blk|h)\.(\d+)\.")


def fits(name: str, suffix: str) -> bool:
    """Return whether `name` is `suffix` or ends with it after a dot."""
    return name == suffix or name.endswith("." + suffix)
