"""A finished run is known by its inputs, its command and the version that made it."""

import json

import pytest

from forensics import __version__
from forensics.errors import BadInputError
from forensics.runs.frame import journal
from forensics.runs.frame.folder import finished_manifest
from forensics.runs.frame.journal import Journal


def finished(folder, version=__version__):
    folder.mkdir(exist_ok=True)
    manifest = {"fingerprint": "this", "versions": {"forensics": version}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "summary.json").write_text("{}")
    return folder


def test_the_same_run_is_known(tmp_path):
    found = finished_manifest(finished(tmp_path), "this", "summary.json")
    assert found is not None
    assert found["fingerprint"] == "this"


def test_an_empty_folder_and_an_unfinished_run_are_no_run(tmp_path):
    assert finished_manifest(tmp_path / "nowhere", "this", "summary.json") is None
    (finished(tmp_path) / "summary.json").unlink()
    assert finished_manifest(tmp_path, "this", "summary.json") is None


@pytest.mark.parametrize(
    ("version", "run", "summary"),
    [(__version__, "another", "summary.json"), ("0.0.1", "this", "summary.json"),
     (__version__, "this", "mixture.json")],
)  # fmt: skip
def test_another_run_is_not_taken_for_this_one(tmp_path, version, run, summary):
    with pytest.raises(BadInputError, match="--overwrite"):
        finished_manifest(finished(tmp_path, version), run, summary)


def test_what_another_version_left_is_not_continued(tmp_path, monkeypatch):
    file = tmp_path / "run.jsonl"
    first = Journal(file, "this")
    first.append({"key": 1})
    first.close()
    again = Journal(file, "this")
    again.close()
    assert again.entries == [{"key": 1}]
    monkeypatch.setattr(journal, "__version__", "99.0")
    newer = Journal(file, "this")
    newer.close()
    assert newer.entries == []
