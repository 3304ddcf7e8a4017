from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.manifest import build_manifest, hash_files, versions


def test_every_file_once_sorted_with_size_and_hash(tmp_path: Path) -> None:
    one, two = tmp_path / "b", tmp_path / "a"
    one.write_bytes(b"x" * 5_000_000)
    two.write_bytes(b"")
    assert hash_files([one, two, one], threads=2) == [
        {"path": two.name, "size": 0, "sha256": hashlib.sha256(b"").hexdigest()},
        {"path": one.name, "size": 5_000_000, "sha256": hashlib.sha256(b"x" * 5_000_000).hexdigest()},
    ]


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"gone\.safetensors"):
        hash_files([tmp_path / "gone.safetensors"])


def test_the_manifest_holds_what_is_needed_to_repeat_the_run(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(b"1")
    progress = Progress()
    manifest = build_manifest(
        hash_files([file], progress=progress),
        command_line=["forensics", "scan"],
        seed=3,
        parameters={"candidates": 2.0},
    )
    assert manifest["command_line"] == ["forensics", "scan"]
    assert (manifest["seed"], manifest["parameters"]) == (3, {"candidates": 2.0})
    assert manifest["files"][0]["size"] == 1
    assert manifest["machine"]["cores"] >= 1
    assert "hash files" in progress.seconds


def test_versions_name_the_libraries_in_use() -> None:
    import numpy

    assert versions()["numpy"] == numpy.__version__
    assert set(versions()) >= {"python", "forensics"}
