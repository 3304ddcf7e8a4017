"""The command line of `sticky`, through `run`, on a tiny model."""

import json

import pytest

from forensics.cli.main import run
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    place = tmp_path_factory.mktemp("sticky")
    folder = write_embedding_folder(place / "tiny-embedder")
    files = [place / "a.txt", place / "b.txt"]
    for which, file in enumerate(files):
        file.write_text("\n".join(english(50, which)), encoding="utf-8")
    return folder, files


def arguments(inputs, out, *more):
    folder, files = inputs
    named = [part for file in files for part in ("--sentences", str(file))]
    small = ["--insertions", "4", "--ordinary-sample", "12", "--threads", "1"]
    return ["sticky", str(folder), *named, *small, "--out", str(out), *more]


def test_json_is_one_object_on_standard_output(inputs, tmp_path, capsys):
    assert run(arguments(inputs, tmp_path / "out", "--tokens", "7,9-10", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["asked_for"] == 3
    assert found["out"] == str(tmp_path / "out")


def test_the_summary_names_the_report_and_the_report_renders_again(inputs, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(arguments(inputs, out, "--tokens", "7,9")) == 0
    assert str(out / "report.html") in capsys.readouterr().out
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert run(["report", str(out)]) == 0
    assert (out / "report.html").read_bytes() == before


@pytest.mark.parametrize("kind", ["pooling", "empty", "missing"])
def test_bad_input_is_one_line_and_exit_code_two(inputs, tmp_path, capsys, kind):
    if kind == "pooling":
        given = ["sticky", str(write_embedding_folder(tmp_path / "plain", modules=False))]
    elif kind == "empty":
        (tmp_path / "empty.txt").touch()
        given = ["sticky", str(inputs[0]), "--sentences", str(tmp_path / "empty.txt")]
    else:
        given = ["sticky", str(inputs[0]), "--sentences", str(tmp_path / "nowhere.txt")]
    assert run([*given, "--out", str(tmp_path / "out")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert not (tmp_path / "out" / "report.html").exists()


def test_help_has_an_example(capsys):
    assert run(["sticky", "--help"]) == 0
    assert "Example: forensics sticky demo" in capsys.readouterr().out
