"""What a run does with its folder: others kept out, a finished run kept, files of others left alone."""

import dataclasses
import json
import subprocess
import sys

import pytest

from forensics import __version__
from forensics.errors import BadInputError, OutputError
from forensics.progress import Progress
from forensics.report.results import load_results
from forensics.runs.frame.folder import held
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.run import run
from forensics.schema.record import to_json
from forensics.schema.tokens import TOKENS_TABLE, TokensOptions
from tests.report.synthetic import build, vocabulary_of

fcntl = pytest.importorskip("fcntl", reason="folders are locked on Unix only")


class Heard(Progress):
    def __init__(self):
        super().__init__()
        self.notes = []

    def note(self, message):
        self.notes.append(message)


@pytest.fixture
def given(tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text("{}")
    return file


def do(given, out, *, work=None, progress=None, **settings):
    """Run the command `tokens` on planted results; return the result and how often the work was done."""
    done = []

    def plain(journal):
        done.append(journal)
        tokens, summary, _ = build()
        names = [name for name in TOKENS_TABLE.names if name in tokens]
        return Outcome({"tokens": tokens[names]}, vocabulary_of(summary))

    job = Job(Inputs({"tokenizer": [given]}), work or plain)
    settings = RunSettings(out, **settings)
    return run("tokens", TokensOptions(), lambda: job, settings, progress or Progress()), len(done)


def test_a_run_is_saved_with_its_manifest_and_leaves_nothing_else(given, tmp_path):
    result, _ = do(given, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"tokens.parquet", "summary.json", "manifest.json", "report.md", "report.html"} <= names
    assert not {name for name in names if name.endswith((".part", ".jsonl"))}
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == result.summary
    assert repr(result).startswith("Of ")
    assert "<table" in result._repr_html_() or "<b>" in result._repr_html_()


def test_a_finished_run_is_known_and_its_missing_reports_are_rendered(given, tmp_path):
    first, _ = do(given, tmp_path / "out")
    (tmp_path / "out" / "report.html").unlink()
    heard = Heard()
    again, times = do(given, tmp_path / "out", progress=heard)
    assert times == 0
    assert again.record == first.record
    assert (tmp_path / "out" / "report.html").exists()
    assert any("holds this run already" in note for note in heard.notes)


def test_a_finished_run_without_its_table_is_computed_again(given, tmp_path):
    do(given, tmp_path / "out")
    (tmp_path / "out" / "tokens.parquet").unlink()
    assert do(given, tmp_path / "out")[1] == 1


@pytest.mark.parametrize("part", ["fingerprint", "version", "inputs"])
def test_another_run_is_not_taken_for_this_one_nor_replaced_unasked(given, tmp_path, part):
    out = tmp_path / "out"
    do(given, out)
    manifest = json.loads((out / "manifest.json").read_text())
    if part == "fingerprint":
        manifest["fingerprint"] = "another"
    elif part == "version":
        manifest["versions"]["forensics"] = "0.0.1"
    else:
        given.write_text("[]")
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInputError, match="`overwrite`"):
        do(given, out)
    assert do(given, out, overwrite=True)[1] == 1
    assert load_results(out).manifest["versions"]["forensics"] == __version__


def test_where_a_file_lies_and_what_it_is_called_moves_nothing(given, tmp_path):
    do(given, tmp_path / "out")
    moved = given.rename(tmp_path / "elsewhere.json")
    assert do(moved, tmp_path / "out")[1] == 0


@pytest.mark.parametrize("name", ["manifest.json", "report.md", "tokens.parquet", "summary.json"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_others_are_refused_and_stay(given, tmp_path, name, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text('{"name": "my web app"}')
    with pytest.raises(BadInputError, match=f"holds {name}, not written by"):
        do(given, out, overwrite=overwrite)
    assert (out / name).read_text() == '{"name": "my web app"}'


def test_other_files_in_the_folder_are_left_alone(given, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    do(given, out)
    do(given, out, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_full_disk_leaves_no_part_of_a_run(given, tmp_path, monkeypatch):
    def fail(path, frame, schema):
        raise OutputError(f"{path}: cannot be written")

    monkeypatch.setattr("forensics.report.tables.write_table", fail)
    with pytest.raises(OutputError):
        do(given, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_fails_leaves_no_empty_folder(given, tmp_path):
    def fail(journal):
        raise BadInputError("model", "broken", "mend it")

    with pytest.raises(BadInputError, match="broken"):
        do(given, tmp_path / "deep" / "out", work=fail)
    assert not (tmp_path / "deep").exists()


def test_a_file_in_the_folders_place_is_refused_before_the_inputs_are_opened(tmp_path):
    (tmp_path / "taken").write_text("")
    settings = RunSettings(tmp_path / "taken" / "here")
    with pytest.raises(BadInputError, match="taken: is a file, not a folder"):
        run("tokens", TokensOptions(), lambda: pytest.fail("opened"), settings, Progress())


def test_a_second_process_is_kept_out_and_a_killed_one_leaves_no_lock(tmp_path):
    out = tmp_path / "out"
    code = (
        "import sys, time; from pathlib import Path; from forensics.runs.frame.folder import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    line = [sys.executable, "-c", code, str(out)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BadInputError, match="another run is writing there"), held(out):
            pass
        other.kill()
        other.wait()
    with held(out):
        assert list(out.iterdir()) == []


def test_the_summary_and_the_record_are_the_same_thing(given):
    result, _ = do(given, None)
    assert result.folder is None
    assert result.summary == to_json(result.record)
    assert dataclasses.replace(result.record, seconds={}).seconds == {}
    assert "hash files" in result.summary["seconds"]
    with pytest.raises(AttributeError, match="no table 'merges'"):
        _ = result.merges
