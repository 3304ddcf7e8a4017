"""A small sharp model and a scan of it whose verdicts are planted: what `repair` starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

import forensics as fx
from forensics.report.render import save_run
from forensics.schema.scan import InTextSummary, VerificationSummary
from forensics.schema.words import Verdict
from tests.planted_model import train_tokenizer

VOCABULARY, ROWS, WIDTH = 500, 512, 32
LICENCE = (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")


def write_model(
    folder: Path,
    *,
    tied: bool = True,
    bias: bool = False,
    dtype: str = "float32",
    shard: str = "5GB",
    steps: int = 0,
) -> Path:
    """Write a model of noise, so sharp that a row of zeros is nowhere likely; 12 rows past the vocabulary.

    With `bias` it is a Phi, whose head has one; else a Llama. With `steps` it learns the licence a little.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PhiConfig, PhiForCausalLM

    tokenizer = train_tokenizer([LICENCE], VOCABULARY)
    torch.manual_seed(0)
    kind, model_class = (PhiConfig, PhiForCausalLM) if bias else (LlamaConfig, LlamaForCausalLM)
    config = kind(
        vocab_size=ROWS, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=tied,
        bos_token_id=0, eos_token_id=0, initializer_range=0.5,
    )  # fmt: skip
    model = model_class(config).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(6)
        if bias:
            model.get_output_embeddings().bias.normal_()
    _train(model, tokenizer.encode(LICENCE).ids, steps)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "notes.md").write_text("a file that is only copied\n", "utf-8")
    return folder


def _train(model: Any, ids: list[int], steps: int) -> None:
    import torch

    windows = torch.tensor(ids)[: len(ids) // 64 * 64].reshape(-1, 64)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        model(input_ids=windows, labels=windows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def unseen(model: Path, count: int) -> list[int]:
    """Return ordinary tokens that the licence does not contain: intermediate merges."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    seen = set(tokenizer.encode(LICENCE).ids)
    return [token for token in range(VOCABULARY - 1, 256, -1) if token not in seen][:count]


def plant_scan(model: Path, folder: Path, verified: list[int], **columns: dict[int, Any]) -> Path:
    """Write the scan that finds `verified`; `columns` gives further values by column and token."""
    result = fx.scan(model, verify=False)
    tokens = result.tokens.copy()
    tokens["verdict"] = pd.array([None] * len(tokens), dtype="object")
    tokens["role"] = pd.array([None] * len(tokens), dtype="object")
    tokens["cleared_by_text"] = pd.array([pd.NA] * len(tokens), dtype="boolean")
    tokens["is_candidate"] = False
    tokens.loc[verified, "verdict"] = Verdict.VERIFIED_STRONG.value
    for column, values in columns.items():
        for token, value in values.items():
            tokens.loc[token, column] = value
    found = len(verified)
    verification = VerificationSummary(
        tested=found, verified=found, strong=found, unknown_in_text=found,
        in_text=InTextSummary(0, 0, found, 1000, 1000),
    )  # fmt: skip
    record = replace(result.record, verification=verification)
    save_run(folder, "scan", {"tokens": tokens}, record, result.manifest)
    return folder
