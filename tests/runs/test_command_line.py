"""The command as a process: a full disk, Ctrl-C, damaged and hostile inputs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

resource = pytest.importorskip("resource", reason="limits of processes are a matter of Unix")


def command(*arguments: object, limit: int | None = None, **options):
    """Start `forensics`; `limit` is the largest file it may write, in bytes."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests in the background inherit that it is ignored
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "forensics", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
        **options,
    )


def finish(process) -> tuple[int, str, list[str]]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, [line for line in err.splitlines() if line.startswith("error:")]


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tiny_model, tmp_path):
    out = tmp_path / "out"
    code, shown, errors = finish(command("scan", tiny_model, "--no-verify", "--out", out, limit=5000))
    assert (code, shown, len(errors)) == (2, "", 1)
    assert "cannot be written" in errors[0]
    assert not [path for path in out.rglob("*") if path.is_file()]


def test_ctrl_c_keeps_what_was_done_and_the_same_command_finishes(tiny_model, tmp_path):
    out = tmp_path / "out"
    arguments = ("scan", tiny_model, "--candidates", 60, "--out", out, "--threads", 1)
    process = command(*arguments)
    journal = out / "verification.jsonl"
    while process.poll() is None and not (journal.exists() and len(journal.read_text().splitlines()) > 20):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "is kept in" in err
    kept = len(journal.read_text().splitlines()) - 1
    assert [path.name for path in out.iterdir()] == ["verification.jsonl"]
    code, shown, _ = finish(command(*arguments, "--json"))
    assert code == 0
    assert json.loads(shown)["verification"]["tested"] >= kept - 24
    assert pd.read_parquet(out / "tokens.parquet").verdict.notna().sum() > 300
    assert not journal.exists()


def test_json_is_one_object_and_the_gate_sets_the_exit_code(tiny_model, tmp_path):
    arguments = ("scan", tiny_model, "--no-verify", "--json", "--out", tmp_path / "out")
    code, shown, errors = finish(command(*arguments, "--fail-on", "unreachable>100000"))
    assert (code, errors) == (0, [])
    assert json.loads(shown)["embedding"]["shape"][0] == 616
    assert finish(command(*arguments, "--fail-on", "single_byte>1"))[0] == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 100), "model.safetensors"),
        (lambda folder: os.truncate(folder / "model.safetensors", 20_000), "model.safetensors"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer.json"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
        (lambda folder: (folder / "config.json").write_text("[1]"), "config.json"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "copy"),
    ],
    ids=["no weights", "garbled", "truncated", "broken tokenizer", "no tokenizer", "broken config", "empty"],
)
def test_damaged_folders_are_one_clear_line(tiny_model, tmp_path, damage, said):
    import shutil

    folder = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    damage(folder)
    out = tmp_path / "out"
    code, shown, errors = finish(
        command("scan", folder, "--no-verify", "--out", out, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    )
    assert (code, shown, len(errors)) == (2, "", 1)
    assert said in errors[0]
    assert not out.exists()


def test_a_weight_only_scan_imports_no_torch(tiny_model, tmp_path):
    program = (
        "import sys; from forensics.cli.main import run; code = run(sys.argv[1:]); "
        "sys.exit(code or ('torch' in sys.modules or 'transformers' in sys.modules) * 99)"
    )
    arguments = ["scan", str(tiny_model), "--no-verify", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=False)
    assert done.returncode == 0
