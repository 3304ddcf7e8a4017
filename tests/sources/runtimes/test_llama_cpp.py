"""llama.cpp's own server, started on a file and asked."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.sources.runtimes.llama_cpp import LlamaCppModel
from tests.extras import need

need("xllamacpp")
torch = need("torch")


def test_llama_cpp_gives_the_numbers_of_transformers(model, gguf_file):
    served = LlamaCppModel(open_checkpoint(gguf_file), threads=1)
    prompts = [[1, 2, i, 5, 9 + i] for i in range(12)]
    tokens = list(range(30, 42))
    found = served.next_tokens(prompts, tokens)
    with torch.inference_mode():
        truth = model(input_ids=torch.tensor(prompts)).logits[:, -1].log_softmax(-1).numpy()
    # One matrix is stored in 8 bits, and llama.cpp multiplies it in 8 bits.
    assert found.log_p == pytest.approx(truth[np.arange(12), tokens], abs=0.02)
    assert found.said.tolist() == truth.argmax(1).tolist()
    assert served.positions == 64


def test_what_it_cannot_load_is_one_clear_line(gguf_file, tmp_path, model):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(gguf_file.read_bytes().replace(b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"))
    with pytest.raises(BadInputError, match=r"llama\.cpp cannot load it"):
        LlamaCppModel(open_checkpoint(damaged), threads=1)
    model.save_pretrained(tmp_path / "folder")
    with pytest.raises(BadInputError, match="no GGUF file"):
        LlamaCppModel(open_checkpoint(tmp_path / "folder"))
