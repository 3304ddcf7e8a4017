from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.fingerprint import fingerprint
from forensics.runs.frame.manifest import build_manifest, hash_inputs, versions
from forensics.runs.frame.outcome import Inputs
from forensics.schema.scan import ScanOptions
from forensics.schema.sticky import StickyOptions


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_file_by_role_with_size_and_hash(tmp_path: Path) -> None:
    one, two, other = tmp_path / "m" / "b", tmp_path / "m" / "a", tmp_path / "elsewhere" / "text"
    for file, data in ((one, b"x" * 5_000_000), (two, b""), (other, b"1")):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
    files, contents = hash_inputs(Inputs({"model": frozenset({one, two}), "text": [other, one]}))
    assert files == [
        {"role": "model", "path": "a", "size": 0, "sha256": sha256(b"")},
        {"role": "model", "path": "b", "size": 5_000_000, "sha256": sha256(b"x" * 5_000_000)},
        {"role": "text", "path": "elsewhere/text", "size": 1, "sha256": sha256(b"1")},
        {"role": "text", "path": "m/b", "size": 5_000_000, "sha256": sha256(b"x" * 5_000_000)},
    ]
    assert contents["text"] == [sha256(b"1"), sha256(b"x" * 5_000_000)]
    assert contents["model"] == sorted([sha256(b""), sha256(b"x" * 5_000_000)])


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"gone\.safetensors"):
        hash_inputs(Inputs({"model": [tmp_path / "gone.safetensors"]}))


def test_the_manifest_holds_what_is_needed_to_repeat_the_run(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(b"1")
    progress = Progress()
    files, _ = hash_inputs(Inputs({"model": [file]}), progress)
    options = ScanOptions(candidates=1.5, threads=2)
    manifest = build_manifest(files, options=options, command_line=["forensics", "scan"], seed=3)
    assert manifest["command_line"] == ["forensics", "scan"]
    assert manifest["seed"] == 3
    assert (manifest["parameters"]["candidates"], manifest["parameters"]["threads"]) == (1.5, 2)
    assert manifest["files"][0]["size"] == 1
    assert manifest["machine"]["cores"] >= 1
    assert "hash files" in progress.seconds


def test_no_path_as_typed_is_a_parameter_or_moves_the_fingerprint() -> None:
    ones, others = StickyOptions(sentences=("a.txt",)), StickyOptions(sentences=("./a.txt",))
    assert "sentences" not in build_manifest([], options=ones)["parameters"]
    assert fingerprint("sticky", ones, {}, 0) == fingerprint("sticky", others, {}, 0)


@pytest.mark.parametrize(
    "other",
    [
        ("tokens", ScanOptions(), {"model": ["x"]}, 0),
        ("scan", ScanOptions(candidates=3.0), {"model": ["x"]}, 0),
        ("scan", ScanOptions(), {"model": ["y"]}, 0),
        ("scan", ScanOptions(), {"tokenizer": ["x"]}, 0),
        ("scan", ScanOptions(), {"model": ["x"]}, 1),
    ],
    ids=["command", "option", "contents", "role", "seed"],
)
def test_whatever_moves_a_number_moves_the_fingerprint(other) -> None:
    assert fingerprint(*other) != fingerprint("scan", ScanOptions(), {"model": ["x"]}, 0)


def test_threads_move_no_number() -> None:
    assert fingerprint("scan", ScanOptions(threads=8), {}, 0) == fingerprint("scan", ScanOptions(), {}, 0)


def test_versions_name_the_libraries_in_use() -> None:
    import numpy

    assert versions()["numpy"] == numpy.__version__
    assert versions()["unicode"] == unicodedata.unidata_version
    assert set(versions()) >= {"python", "forensics"}
