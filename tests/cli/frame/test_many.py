"""Several inputs on the command line, against a fake library; and what names and folders they have."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.cli.frame.many import folders_of, read_names
from forensics.cli.frame.parsing import default_folder
from forensics.cli.main import run
from forensics.errors import BadInputError
from tests.cli.conftest import FakeApi


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fail_for(name: str, error: Exception) -> Any:
    def before(options: dict[str, Any]) -> None:
        if options["model"] == name:
            raise error

    return before


def test_each_input_is_called_for_with_its_folder_and_its_own_command_line(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "scan org/b a --no-verify --tokens 1-3 --fail-on verified>9999 --jobs 1 --out here --offline"
    assert run(line.split()) == 0
    calls = [options for _, options in fake_api.calls]
    assert [(each["model"], each["out"]) for each in calls] == [
        ("org/b", Path("here/b")),
        ("a", Path("here/a")),
    ]
    assert all(each["tokens"] == [1, 2, 3] and each["verify"] is False for each in calls)
    tail = f"--no-verify --tokens 1-3 --fail-on verified>9999 --offline --out {Path('here/a')}"
    assert calls[1]["command_line"] == ["forensics", "scan", "a", *tail.split()]
    out = capsys.readouterr().out
    assert out.startswith("2 of 2 done.\n")
    assert out.endswith("folders  here\n")


def test_the_folders_are_those_of_one_input_where_none_is_named(fake_api: FakeApi) -> None:
    assert run(["scan", "org/a", "b.gguf"]) == 0
    assert [options["out"] for _, options in fake_api.calls] == [Path("results/a"), Path("results/b")]


@pytest.mark.parametrize("more", [["--jobs", "1"], ["--models-from", "names.txt"]])
def test_one_input_is_one_of_several_if_anything_says_so(fake_api: FakeApi, more: list[str]) -> None:
    Path("names.txt").write_text("a\n")
    named = [] if "--models-from" in more else ["a"]
    assert run(["scan", *named, *more, "--out", "here"]) == 0
    assert [options["out"] for _, options in fake_api.calls] == [Path("here/a")]
    assert run(["scan", "a", "--out", "alone"]) == 0
    assert fake_api.calls[-1][1]["out"] == Path("alone")
    assert fake_api.calls[-1][1]["command_line"] == ["forensics", "scan", "a", "--out", "alone"]


def test_what_fails_is_listed_and_the_exit_code_is_the_worst(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_api.before = fail_for("bad", BadInputError("model.gguf", "truncated", "download it again"))
    assert run(["scan", "a", "bad", "c", "--fail-on", "verified>3"]) == 2
    captured = capsys.readouterr()
    assert len(fake_api.calls) == 3
    assert captured.out.startswith("2 of 3 done, 1 failed.\n")
    assert "failed     bad" in captured.out
    assert "error: bad: model.gguf: truncated; download it again\n" in captured.err
    assert "failed: a: verified>3 (verified is 35)\n" in captured.err
    assert run(["scan", "a", "c", "--fail-on", "verified>3"]) == 1
    assert run(["scan", "a", "c", "--fail-on", "verified>9999"]) == 0


def test_a_gate_on_a_number_that_a_run_lacks_is_a_failure_of_that_input(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["tokens", "a", "b", "--fail-on", "nonsense>3"]) == 2
    assert fake_api.calls == []
    assert "--fail-on" in capsys.readouterr().err


def test_a_bug_met_by_one_is_a_line_and_its_traceback_on_request(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_api.before = fail_for("bad", ZeroDivisionError("division by zero"))
    assert run(["scan", "bad", "b"]) == 2
    error = capsys.readouterr().err
    assert "error: bad: internal error (ZeroDivisionError: division by zero); this is a bug" in error
    assert "Traceback" not in error
    assert run(["scan", "bad", "b", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_json_is_one_object_with_what_each_would_print(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "a", "--json", "--out", "alone"]) == 0
    alone = json.loads(capsys.readouterr().out)
    fake_api.before = fail_for("bad", BadInputError("bad", "truncated", "download it again"))
    assert run(["scan", "a", "bad", "--json", "--out", "here"]) == 2
    whole = json.loads(capsys.readouterr().out)
    assert (whole["inputs"], whole["failed"]) == (2, 1)
    first, second = whole["runs"]
    assert first["result"] == {**alone, "out": str(Path("here/a"))}
    assert (first["input"], first["exit_code"], first["error"]) == ("a", 0, None)
    assert (second["exit_code"], second["result"]) == (2, None)
    assert second["error"] == "bad: truncated; download it again"


def test_an_accepted_entry_is_stale_only_if_no_run_has_its_finding(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = '[[accepted]]\nrule = "row-past-vocabulary"\nsubject = "{}"\nreason = "known"\n'
    Path("accepted.toml").write_text(
        entry.format("nothing") + "\n" + entry.format("rows past the vocabulary")
    )
    assert run(["scan", "a", "b", "--accepted", "accepted.toml"]) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "no such finding" in line]
    assert len([line for line in warned if "row-past-vocabulary nothing" in line]) == 1


def test_a_list_of_inputs_can_stand_among_them(fake_api: FakeApi) -> None:
    Path("more.txt").write_text("b\norg/c  # why\n")
    assert run(["scan", "a", "@more.txt", "d"]) == 0
    assert [options["model"] for _, options in fake_api.calls] == ["a", "b", "org/c", "d"]
    fake_api.calls.clear()
    Path("one.txt").write_text("b\n")
    assert run(["scan", "@one.txt", "--out", "here"]) == 0
    assert [(options["model"], options["out"]) for _, options in fake_api.calls] == [("b", Path("here/b"))]


def test_a_folder_whose_name_begins_like_a_list_is_an_input(fake_api: FakeApi) -> None:
    Path("@model").mkdir()
    assert run(["scan", "@model"]) == 0
    assert [options["model"] for _, options in fake_api.calls] == ["@model"]


def test_sarif_holds_one_run_for_each_input_that_ended_well(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "x/m", "--sarif", "alone.sarif", "--out", "alone"]) == 0
    alone = json.loads(Path("alone.sarif").read_text())
    fake_api.before = fail_for("bad", BadInputError("bad", "truncated", "download it again"))
    assert run(["scan", "x/m", "bad", "y/m", "--sarif", "found.sarif"]) == 2
    log = json.loads(Path("found.sarif").read_text())
    assert {key: log[key] for key in ("$schema", "version")} == {k: alone[k] for k in ("$schema", "version")}
    assert [each["automationDetails"]["id"] for each in log["runs"]] == [
        "forensics-scan/x-m/",
        "forensics-scan/y-m/",
    ]
    (single,) = alone["runs"]
    assert single["automationDetails"]["id"] == "forensics-scan/m/"
    assert [len(each["results"]) for each in log["runs"]] == [len(single["results"])] * 2


def test_one_accepted_file_is_written_over_all_inputs_and_accepts_them(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "a", "b", "--write-accepted", "accepted.toml"]) == 0
    written = Path("accepted.toml").read_text()
    assert written.count("[[accepted]]") == written.count('reason = ""') > 0
    Path("accepted.toml").write_text(written.replace('reason = ""', 'reason = "known"'))
    capsys.readouterr()
    line = ["scan", "a", "b", "--overwrite", "--accepted", "accepted.toml", "--fail-on", "note"]
    assert run(line) == 0
    assert "no such finding" not in capsys.readouterr().err


def test_no_file_is_written_where_nothing_ended_well(fake_api: FakeApi) -> None:
    fake_api.before = fail_for("bad", BadInputError("bad", "truncated", "download it again"))
    options = ["--sarif", "found.sarif", "--write-accepted", "accepted.toml"]
    assert run(["scan", "bad", *options, "--jobs", "1"]) == 2
    assert not Path("found.sarif").exists() and not Path("accepted.toml").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("scan a b --write-accepted empty.txt", "--write-accepted: empty.txt exists already"),
        ("scan --models-from absent.txt", "absent.txt: no such file"),
        ("scan --models-from empty.txt", "empty.txt: names nothing"),
        ("scan @absent.txt", "absent.txt: no such file"),
        ("scan ../m m", "../m and m would have the folder m"),
        ("scan a b --jobs 0", "--jobs"),
        ("scan --jobs 2", "MODEL"),
    ],
)
def test_bad_usage_is_one_line_before_any_work(
    line: str, said: str, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.txt").write_text("# nobody\n\n")
    assert run(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("error: ") and said in captured.err
    assert fake_api.calls == []


NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="#"), min_size=1)


@given(st.lists(NAMES, min_size=1), st.sampled_from(["\n", "\r\n", "\n\n", "  # why\n", "\n# why\n"]))
def test_names_come_back_from_a_file_whatever_stands_between(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], end: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "names.txt"
    file.write_bytes("".join(f"  {name}{end}" for name in names).encode())
    assert read_names(file) == names


def test_names_come_from_standard_input_and_keep_a_sign_within(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfmodels/c#4 # sharp\nfolder with blanks\n"))
    monkeypatch.setattr(sys, "stdin", stream)
    assert read_names(Path("-")) == ["models/c#4", "folder with blanks"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    with pytest.raises(BadInputError, match="standard input: byte 0 is not valid UTF-8"):
        read_names(Path("-"))


PARTS = st.lists(st.sampled_from(["a", "A", "b", "model.gguf", "x y"]), min_size=1, max_size=4)


@given(st.lists(PARTS.map("/".join), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_folders_are_distinct_and_the_order_of_the_inputs_moves_none(targets: list[str], rng: Any) -> None:
    try:
        folders = folders_of(targets, default_folder, Path("out"))
    except BadInputError as error:
        assert "would have the folder" in str(error)
        return
    assert list(folders) == list(dict.fromkeys(targets))
    names = [folder.name.casefold() for folder in folders.values()]
    assert len(set(names)) == len(names)
    assert {folder.parent for folder in folders.values()} == {Path("out")}
    for target, folder in folders.items():
        if [default_folder(each).name.casefold() for each in folders].count(folder.name.casefold()) == 1:
            assert folder.name.endswith(default_folder(target).name)
    shuffled = rng.sample(targets, len(targets))
    assert folders_of(shuffled, default_folder, Path("out")) == folders
