"""A tiny model that can be run, with every oddity a vocabulary may have, made in a second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.sources.texts.corpora import find_corpora
from tests.planted_model import train_tokenizer

VOCABULARY, ROWS, WIDTH = 600, 616, 32
#: Rows equal bit for bit, and a row that is all zero.
TWINS, ZERO = (400, 420, 450), 500


@pytest.fixture(scope="session", autouse=True)
def little_text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Ordinary text for the second look in place of the package's: a model of noise clears nothing anyway."""
    file = tmp_path_factory.mktemp("text") / "licence.txt"
    file.write_text((Path(__file__).parents[2] / "LICENSE").read_text("utf-8"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forensics.runs.scan.run.natural_text", lambda: find_corpora([file.parent]))
        yield file.parent


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random-weights Llama folder with 16 rows past the vocabulary, twins, and a zero row."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    licence = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")
    tokenizer = train_tokenizer([licence], VOCABULARY)
    tokenizer.add_special_tokens(["<unused0>", "<|im_end|>"])
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=ROWS,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.5,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        rows = model.get_input_embeddings().weight
        rows[list(TWINS)] = rows[TWINS[0]].clone()
        rows[ZERO] = 0
        rows[tokenizer.get_vocab_size() :] = (
            torch.linspace(-1, 1, WIDTH) + 0.01 * rows[: ROWS - tokenizer.get_vocab_size()]
        )
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "<|im_end|>", "bos_token": "<|endoftext|>"})
    )
    return folder
