"""Time and peak memory of a weight-only scan against file size, and against loading the whole model.

    python -m benchmarks.weight_scan [--sizes small,medium,large] [--repeats 3]

Synthetic Llama-shaped checkpoints (bf16, untied) are written to a temporary folder, measured and
deleted. Every measurement is a fresh process; the two are interleaved and medians are printed. The
baseline is `transformers.AutoModelForCausalLM.from_pretrained` followed by the norms and cosine
distances of the two matrices in torch, which is what a script without lazy reading has to do first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

#: Rows and width of the two matrices, and layers that a scan has no need to read.
SIZES = {
    "small": (32_000, 2048, 4),
    "medium": (128_256, 2048, 8),
    "large": (128_256, 8192, 2),
}

#: Rows past the vocabulary in every checkpoint, which serve as reference tokens.
UNUSED = 64

SCAN = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.sources import open_checkpoint
from forensics.undertrained.weights import Matrices, analyse_weights
bare = peak_rss_bytes()
wall, cpu = time.perf_counter(), time.process_time()
checkpoint = open_checkpoint(sys.argv[1])
V = checkpoint.embedding.shape[0]
analyse_weights(
    Matrices(checkpoint.embedding, checkpoint.unembedding),
    evidence={"unused_row": list(range(V - 64, V))},
    eligible=np.ones(V, dtype=bool), vocabulary_size=V - 64, rng=np.random.default_rng(0),
)
assert "torch" not in sys.modules
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, peak_rss_bytes() - bare]))
"""

LOAD = """
import json, sys, time
import torch
from transformers import AutoModelForCausalLM
from forensics.runs.frame.peak_memory import peak_rss_bytes
bare = peak_rss_bytes()
wall, cpu = time.perf_counter(), time.process_time()
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.bfloat16)
with torch.inference_mode():
    for matrix in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        matrix = matrix.float()
        matrix.norm(dim=1)
        torch.cosine_similarity(matrix, matrix[-64:].mean(0, keepdim=True))
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, peak_rss_bytes() - bare]))
"""


def write_checkpoint(folder: Path, V: int, d: int, layers: int) -> int:
    """Write a Llama folder with random bf16 weights, untied; return its size in bytes."""
    rng = np.random.default_rng(0)
    hidden = 2 * d
    shapes = {"model.embed_tokens.weight": (V, d), "lm_head.weight": (V, d), "model.norm.weight": (d,)}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        shapes |= {f"{at}self_attn.{name}_proj.weight": (d, d) for name in "qkvo"}
        shapes |= {f"{at}mlp.{name}_proj.weight": (hidden, d) for name in ("gate", "up")}
        shapes |= {f"{at}mlp.down_proj.weight": (d, hidden)}
        shapes |= {f"{at}{name}_layernorm.weight": (d,) for name in ("input", "post_attention")}
    header: dict[str, object] = {}
    offset = 0
    for name, shape in shapes.items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            rows, width = shape if len(shape) == 2 else (1, shape[0])
            step = max(1, 2**22 // width)
            for start in range(0, rows, step):  # in pieces, so that writing costs no memory either
                block = 0.02 * rng.standard_normal((min(step, rows - start), width), dtype=np.float32)
                if shape == (V, d):
                    # Unused rows as training leaves them: in one place, but for a little noise.
                    unused = np.arange(start, start + len(block)) >= V - UNUSED
                    block[unused] = 0.2 * block[unused] + 0.02 * np.sin(np.arange(d, dtype=np.float32))
                file.write((block.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": V, "hidden_size": d,
        "intermediate_size": hidden, "num_hidden_layers": layers, "num_attention_heads": d // 64,
        "num_key_value_heads": d // 64, "tie_word_embeddings": False,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return (folder / "model.safetensors").stat().st_size


def measure(program: str, folder: Path) -> list[float] | None:
    """Return wall seconds, CPU seconds and bytes above the interpreter; None if the process died."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="small,medium,large")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(
        "checkpoint            file      scan: wall   CPU    memory   load: wall   CPU    memory   wall ratio"
    )
    for name in options.sizes.split(","):
        V, d, layers = SIZES[name]
        folder = Path(tempfile.mkdtemp(prefix="weight-scan-"))
        try:
            size = write_checkpoint(folder, V, d, layers)
            runs: dict[str, list[list[float] | None]] = {"scan": [], "load": []}
            for _ in range(options.repeats):
                runs["scan"].append(measure(SCAN, folder))
                runs["load"].append(measure(LOAD, folder))
            rows = f"{_row(runs['scan'])}  {_row(runs['load'])}"
            print(f"{name:7s}{V:8d} x {d:4d} {size / 2**30:6.2f} GB   {rows}  ", end="")
            pairs = [(a, b) for a, b in zip(runs["scan"], runs["load"], strict=True) if a and b]
            print(f"{statistics.median(b[0] / a[0] for a, b in pairs):6.1f}x" if pairs else "load failed")
        finally:
            shutil.rmtree(folder)


def _row(runs: list[list[float] | None]) -> str:
    good = [run for run in runs if run]
    if not good:
        return "did not finish".center(26)
    wall, cpu, memory = (statistics.median(values) for values in zip(*good, strict=True))
    return f"{wall:8.1f} s {cpu:6.1f} s {memory / 2**20:6.0f} MB"


if __name__ == "__main__":
    main()
