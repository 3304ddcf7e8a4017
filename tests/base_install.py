"""Prove the base install: `python -m tests.base_install`, in an environment without extras.

Not a test of the suite, because it says something about the environment it runs in: that no library of an
extra can be imported there, and that the commands which promise to do without work all the same. It needs
nothing but the package itself, so no pytest either.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.numpy
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).parents[1]
ABSENT = ("torch", "transformers", "accelerate", "numba", "highspy", "onnxruntime")
ENTRIES, ROWS, WIDTH = 500, 512, 16


def write_model(folder: Path) -> Path:
    """Write a checkpoint of random weights whose last rows lie past the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=ENTRIES, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train([str(ROOT / "LICENSE")], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32)
    rows[ENTRIES:] = rows[ENTRIES]
    safetensors.numpy.save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": ROWS}
    shape = {"hidden_size": WIDTH, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config | shape), encoding="utf-8")
    return folder


def forensics(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    command = [sys.executable, "-m", "forensics", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def check(passed: bool, what: str, detail: object = "") -> None:
    """Say that something holds, or stop."""
    if not passed:
        sys.exit(f"error: not so: {what}\n{detail}")
    print(f"ok: {what}")


def main() -> None:
    """Check the environment, what works without extras, and what asks for one."""
    present = [name for name in ABSENT if importlib.util.find_spec(name) is not None]
    check(not present, "no library of an extra is installed", present)
    with tempfile.TemporaryDirectory() as made:
        model, out = write_model(Path(made)), Path(made) / "out"
        done = forensics("tokens", model / "tokenizer.json", "--out", out / "tokens")
        check(done.returncode == 0, "forensics tokens", done.stderr)
        check(len(pd.read_parquet(out / "tokens" / "tokens.parquet")) == ENTRIES, "a row per entry")
        done = forensics("scan", model, "--no-verify", "--out", out / "scan", "--json")
        check(done.returncode == 0, "forensics scan --no-verify", done.stderr)
        check(json.loads(done.stdout)["sizes"]["matrix"] == ROWS, "standard output is one JSON object")
        table = pd.read_parquet(out / "scan" / "tokens.parquet")
        check(len(table) == ROWS, "a row per row of the matrix")
        past = table[table.token_id >= ENTRIES]
        check(set(past.category) == {"unused_row"}, "rows past the vocabulary are named", past)
        check((out / "scan" / "report.html").is_file(), "report.html is there")
        check(forensics("report", out / "scan").returncode == 0, "forensics report")
        done = forensics("audit", model, "--out", out / "audit", "--json")
        check(done.returncode == 0, "forensics audit", done.stderr)
        check("premium" in json.loads(done.stdout)["languages"]["of"]["deu_Latn"], "premiums are there")
        done = forensics("compare", model, model, "--out", out / "compare")
        check(done.returncode == 0, "forensics compare", done.stderr)
        several = (model, model / "tokenizer.json", "--out", out / "several")
        check(forensics("tokens", *several).returncode == 0, "forensics tokens of two inputs")
        check(forensics("index", out).returncode == 0, "forensics index")
        check(len(pd.read_csv(out / "index" / "runs.csv")) == 6, "a line per run")
        done = forensics("mixture", model, "--corpora", "demo", "--out", out / "mixture")
        wanted = "pip install 'forensics[mixture]'"
        check(done.returncode == 2 and wanted in done.stderr, "mixture names the extra it needs", done.stderr)


if __name__ == "__main__":
    main()
