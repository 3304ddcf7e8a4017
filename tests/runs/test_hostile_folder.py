"""Everything by which a model's folder could decide what code runs, all at once, in the working folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import forensics

#: Modules that the command imports, early and late.
MODULES = (
    "typing",
    "pathlib",
    "dataclasses",
    "click",
    "numpy",
    "pandas",
    "tokenizers",
    "torch",
    "transformers",
    "kernels",
    "sitecustomize_late",
)
KEYS = {
    "auto_map": {"AutoConfig": "hostile.Config", "AutoModelForCausalLM": "hostile.Model"},
    "custom_pipelines": {"text-generation": {"impl": "hostile.Pipeline"}},
    "attn_implementation": "org/kernel",
    "_attn_implementation": "org/kernel",
    "experts_implementation": "org/kernel",
    "use_kernels": True,
    "kernel_config": {"kernel_mapping": {"RMSNorm": "org/kernel"}},
}


def hostile(folder: Path) -> Path:
    """Fill a model's folder with code; return the file that any of it would make."""
    mark = folder / "RAN"
    code = f"open({str(mark)!r}, 'a').write(__name__ + ' ')\n"
    for name in (*MODULES, "hostile", "modeling_llama", "configuration_llama", "tokenization_llama"):
        (folder / f"{name}.py").write_text(code)
    for group in ("torch.backends", "transformers", "pytest11", "forensics"):
        info = folder / f"{group.replace('.', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {group}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nhostile = hostile:run\n")
    for name, more in (
        ("config.json", KEYS),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["hostile.A", None]}}),
        ("generation_config.json", {"custom_generate": "org/kernel"}),
    ):
        path = folder / name
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, **more}))
    return mark


def test_nothing_of_the_working_folder_is_run(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    mark = hostile(folder)
    home = str(Path(forensics.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "forensics", "scan", ".", "--tokens", "30", "--verify", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": home, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not mark.exists(), mark.read_text()
    assert done.returncode == 0, done.stderr[-2000:]
    summary = json.loads(done.stdout)
    assert summary["verification"]["tested"] == 1
    assert any("experts_implementation" in note for note in summary["notes"])
