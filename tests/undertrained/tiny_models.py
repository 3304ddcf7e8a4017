"""Random causal models of every common kind, small enough to build in a test."""

from __future__ import annotations

from typing import Any

VOCABULARY = 61
#: Shorter than the probes' prefixes in the tests: keys at the beginning are forgotten on the way.
WINDOW = 6
KINDS = (
    *("llama", "qwen2", "qwen3", "qwen2-sliding", "mistral-sliding", "gemma", "gemma2", "gemma3"),
    *("gpt2", "neox", "gptj", "phi", "phi3", "olmo", "olmo2", "cohere", "granite", "opt", "falcon-alibi"),
    *("bloom", "mamba", "recurrentgemma"),
)

_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {**_COMMON, "num_key_value_heads": 2}
_GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 96}
_MIXED = ["sliding_attention", "full_attention"]


def tiny(kind: str, scale: float = 1.0, seed: int = 3) -> Any:
    """Return a random model in evaluation mode; larger weights make it surer of what it says."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    config = {
        "llama": lambda: t.LlamaConfig(**_GROUPED),
        "qwen2": lambda: t.Qwen2Config(**_GROUPED),
        "qwen3": lambda: t.Qwen3Config(**_GROUPED, head_dim=8),
        "qwen2-sliding": lambda: t.Qwen2Config(
            **_GROUPED, use_sliding_window=True, sliding_window=WINDOW, layer_types=_MIXED
        ),
        "mistral-sliding": lambda: t.MistralConfig(**_GROUPED, sliding_window=WINDOW),
        "gemma": lambda: t.GemmaConfig(**_GROUPED, head_dim=8),
        "gemma2": lambda: t.Gemma2Config(**_GROUPED, head_dim=8, sliding_window=WINDOW, layer_types=_MIXED),
        "gemma3": lambda: t.Gemma3TextConfig(
            **_GROUPED, head_dim=8, sliding_window=WINDOW, layer_types=_MIXED
        ),
        "gpt2": lambda: t.GPT2Config(**_GPT2),
        "neox": lambda: t.GPTNeoXConfig(**_COMMON),
        "gptj": lambda: t.GPTJConfig(**_GPT2, rotary_dim=4),
        "phi": lambda: t.PhiConfig(**_COMMON),
        "phi3": lambda: t.Phi3Config(**_GROUPED, sliding_window=None),
        "olmo": lambda: t.OlmoConfig(**_GROUPED),
        "olmo2": lambda: t.Olmo2Config(**_GROUPED),
        "cohere": lambda: t.CohereConfig(**_GROUPED),
        "granite": lambda: t.GraniteConfig(**_GROUPED, logits_scaling=2.0),
        "opt": lambda: t.OPTConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            ffn_dim=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=96,
            word_embed_proj_dim=32,
            pad_token_id=0,
        ),
        "falcon-alibi": lambda: t.FalconConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=True
        ),
        "bloom": lambda: t.BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4),
        "mamba": lambda: t.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2),
        "recurrentgemma": lambda: t.RecurrentGemmaConfig(
            **{**_COMMON, "num_hidden_layers": 3},
            num_key_value_heads=1,
            lru_width=32,
            attention_window_size=8,
        ),
    }[kind]()
    model = t.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model
