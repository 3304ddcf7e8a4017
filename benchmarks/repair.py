"""What rows put in place of untrained ones do to a model: `python -m benchmarks.repair MODEL SCAN`.

MODEL is a folder of safetensors files, SCAN the folder of a finished scan of it. For the rows that `repair`
would replace, and for the candidates that the weights alone point at, every method is put before the guard;
so is one that is not offered, the mean row's direction at the median norm of the trained rows. `--dequantise
FOLDER` first writes MODEL, a GGUF file or `demo`, into FOLDER as float32 safetensors.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from forensics.progress import Progress
from forensics.repairing.guard import judge
from forensics.runs.frame.outcome import RunSettings
from forensics.runs.repair.guarding import read_windows
from forensics.runs.repair.inputs import RepairInputs, open_inputs
from forensics.runs.repair.plan import plan_rows
from forensics.runs.repair.text import guard_corpora, guard_windows
from forensics.schema.repair import METHODS, RepairOptions
from forensics.sources import open_checkpoint, open_tokenizer
from forensics.sources.runtimes.causal_lm import load_causal_lm
from forensics.sources.runtimes.replaced_rows import TokenRows, replaced_rows
from forensics.sources.tensors.safetensors_rewrite import RowChange
from forensics.undertrained.prompts import leading_special_ids

#: The variant that is not offered.
SCALED = "mean direction at the median norm"


def dequantise(model: str, folder: Path) -> Path:
    """Write a GGUF model as a folder of float32 safetensors; `save_pretrained` refuses to."""
    from safetensors.torch import save_file

    loaded, source = load_causal_lm(open_checkpoint(model), dtype="float32"), open_tokenizer(model)
    folder.mkdir(parents=True, exist_ok=True)
    tied = loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    state = {name: each.contiguous() for name, each in loaded.state_dict().items()}
    if tied:
        state.pop("lm_head.weight", None)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads(loaded.config.to_json_string())
    config.pop("quantization_config", None)
    config |= {"architectures": [type(loaded).__name__], "tie_word_embeddings": tied, "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    source.encoder.save(str(folder / "tokenizer.json"))
    roles = {
        f"{role}_token": source.pieces[next(iter(ids.values()))] for role, ids in source.special_roles.items()
    }
    roles |= {"add_bos_token": bool(source.adds_bos), "chat_template": source.chat_template}
    (folder / "tokenizer_config.json").write_text(json.dumps(roles), encoding="utf-8")
    return folder


def variants(inputs: RepairInputs) -> dict[str, TokenRows]:
    """Return the new rows by method, with the one that is not offered."""
    found = {method: plan_rows(inputs, method) for method in METHODS}
    mean = found["mean"]
    trained = mean.norms[inputs.is_trained[: len(mean.norms)]]
    scale = np.float32(np.median(trained) / np.linalg.norm(mean.embedding.rows[0]))
    scaled = RowChange(mean.ids, mean.embedding.rows * scale, mean.embedding.total)
    return {**{method: plan.rows for method, plan in found.items()}, SCALED: TokenRows(scaled)}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("scan")
    parser.add_argument("--dequantise", type=Path)
    given = parser.parse_args()
    model = dequantise(given.model, given.dequantise) if given.dequantise else given.model
    inputs = open_inputs(model, given.scan, None, RepairOptions(), RunSettings(), Progress())
    by_weights = np.flatnonzero(np.asarray(inputs.scan.where("is_candidate", True))).tolist()
    chosen = {
        "verified, unknown in text": inputs.selection,
        "candidates by weights alone": replace(inputs.selection, why=dict.fromkeys(by_weights, "candidate")),
    }
    loaded, start = load_causal_lm(inputs.checkpoint), leading_special_ids(inputs.source)
    windows = guard_windows(guard_corpora(), inputs.source, inputs.sizes_before.embedding)
    stage = Progress().open_stage("guard", None, "windows")
    print(
        "| rows | method | perplexity untouched | repaired | mass before | after | argmax | guard | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, selection in chosen.items():
        of_rows = replace(inputs, selection=selection)
        ids = np.array(sorted(selection.why), dtype=np.int64)
        before = read_windows(loaded, windows, start, ids, stage)
        for method, rows in variants(of_rows).items():
            begun = time.process_time()
            with replaced_rows(loaded, rows) as repaired:
                found = judge(before, read_windows(repaired, windows, start, ids, stage), ids)
            cells = (
                f"{len(ids):,} {name}",
                method,
                f"{found.perplexity_before:.3f}",
                f"{found.perplexity_after:.3f}",
                f"{found.mass_before:.1e}",
                f"{found.mass_after:.1e}",
                str(found.argmax_after),
                "refuses" if found.objections else "lets pass",
                f"{time.process_time() - begun:.0f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
