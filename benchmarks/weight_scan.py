"""Time and peak memory of a weight-only scan against file size, and against two other ways.

    python -m benchmarks.weight_scan [--sizes small,medium,large,gguf] [--repeats 3] [--before REVISION]
                                     [--without-evidence] [--no-load]

Synthetic Llama-shaped checkpoints (bf16, untied; `gguf` is one matrix in Q8_0) are written to a
temporary folder, measured and deleted. Every measurement is a fresh process; they are interleaved and
medians are printed. `load` is `transformers.AutoModelForCausalLM.from_pretrained` followed by the norms
and cosine distances of the two matrices in torch, which is what a script without lazy reading has to do
first. `before` is the same scan by the package as it stood at a git revision. Without evidence no
reference token is named, so that the tightest neighbourhood is searched for.
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
import numpy.typing as npt

#: Rows and width of the two matrices, and layers that a scan has no need to read.
SIZES = {
    "small": (32_000, 2048, 4),
    "medium": (128_256, 2048, 8),
    "large": (128_256, 8192, 2),
    "gguf": (151_936, 896, 0),
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
tied = checkpoint.unembedding is None
analyse_weights(
    Matrices(checkpoint.embedding, checkpoint.embedding if tied else checkpoint.unembedding),
    evidence={"unused_row": list(range(V - 64, V))} if sys.argv[2] == "evidence" else {},
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


def write_checkpoint(folder: Path, V: int, d: int, layers: int) -> Path:
    """Write a Llama folder with random bf16 weights, untied; return its weights file."""
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
                block = _rows(rng, start, min(step, rows - start), width, V if shape == (V, d) else None)
                file.write((block.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": V, "hidden_size": d,
        "intermediate_size": hidden, "num_hidden_layers": layers, "num_attention_heads": d // 64,
        "num_key_value_heads": d // 64, "tie_word_embeddings": False,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder / "model.safetensors"


def write_gguf(folder: Path, V: int, d: int) -> Path:
    """Write a GGUF file of one random matrix in Q8_0; return it."""
    import gguf

    kind, rng = gguf.GGMLQuantizationType.Q8_0, np.random.default_rng(0)
    packed = [
        gguf.quants.quantize(_rows(rng, start, min(4096, V - start), d, V), kind)
        for start in range(0, V, 4096)
    ]
    path = folder / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_embedding_length(d)
    writer.add_tensor("token_embd.weight", np.concatenate(packed), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _rows(
    rng: np.random.Generator, start: int, count: int, width: int, V: int | None
) -> npt.NDArray[np.float32]:
    """Return random rows; of a token matrix of `V` rows, with the last ones as training leaves the unused."""
    block = 0.02 * rng.standard_normal((count, width), dtype=np.float32)
    if V is not None:
        # In one place, but for a little noise; among the ordinary ones every hundredth is so, too.
        ids = np.arange(start, start + count)
        unused = (ids >= V - UNUSED) | (ids % 100 == 99)
        block[unused] = 0.2 * block[unused] + 0.02 * np.sin(np.arange(width, dtype=np.float32))
    return block


def package_at(revision: str, folder: Path) -> Path:
    """Write the package as it stood at a git revision below `folder`; return what to import it from."""
    archive = subprocess.run(["git", "archive", revision, "forensics"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def measure(program: str, weights: Path, evidence: str, package: Path | None = None) -> list[float] | None:
    """Return wall seconds, CPU seconds and bytes above the interpreter; None if the process died.

    :param program: The source to run.
    :param weights: The weights file; a folder's is named by its folder.
    :param evidence: `evidence` or `none`.
    :param package: Where to import `forensics` from, if not from here.
    """
    model = weights if weights.suffix == ".gguf" else weights.parent
    done = subprocess.run(
        [sys.executable, "-c", program, str(model), evidence],
        capture_output=True, text=True, check=False, cwd=package,
    )  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="small,medium,large,gguf")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--before", metavar="REVISION")
    parser.add_argument("--without-evidence", action="store_true")
    parser.add_argument("--no-load", action="store_true")
    options = parser.parse_args()
    evidence = "none" if options.without_evidence else "evidence"
    with tempfile.TemporaryDirectory(prefix="weight-scan-before-") as before:
        ways: dict[str, tuple[str, Path | None]] = {"scan": (SCAN, None)}
        if options.before:
            ways["before"] = (SCAN, package_at(options.before, Path(before)))
        if not options.no_load:
            ways["load"] = (LOAD, None)
        for name in options.sizes.split(","):
            V, d, layers = SIZES[name]
            folder = Path(tempfile.mkdtemp(prefix="weight-scan-"))
            try:
                weights = write_checkpoint(folder, V, d, layers) if layers else write_gguf(folder, V, d)
                print(f"{name}: {V} x {d}, {weights.stat().st_size / 2**30:.2f} GB, {evidence}")
                tried = {way: value for way, value in ways.items() if layers or way != "load"}
                runs: dict[str, list[list[float] | None]] = {way: [] for way in tried}
                for _ in range(options.repeats):
                    for way, (program, package) in tried.items():
                        runs[way].append(measure(program, weights, evidence, package))
                for way, found in runs.items():
                    print(f"  {way:8s}{_row(found)}", flush=True)
            finally:
                shutil.rmtree(folder)


def _row(runs: list[list[float] | None]) -> str:
    good = [run for run in runs if run]
    if not good:
        return "did not finish".center(26)
    wall, cpu, memory = (statistics.median(values) for values in zip(*good, strict=True))
    return f"wall {wall:8.1f} s   CPU {cpu:6.1f} s   memory {memory / 2**20:6.0f} MB"


if __name__ == "__main__":
    main()
