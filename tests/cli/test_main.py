from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forensics import __version__
from forensics.cli.main import cli, command_names, run
from forensics.errors import BadInputError
from forensics.report.results import load_results
from tests.cli.conftest import FakeApi

#: What INTERFACE promises, command by command.
PROMISED = {
    "scan": (
        "--verify --no-verify --candidates --max-candidates --audit-sample --tokens --reference --indicator "
        "--device --dtype --batch-size --threads --fail-on --out --json --seed --resume --overwrite "
        "--offline --trust-remote-code --debug --models-from --jobs --dask"
    ),
    "sticky": (
        "--method --sentences --pairs --tokens --insertions --pairs-score --pairs-validate --shortlist "
        "--device --batch-size --fail-on --out --json --seed --overwrite --offline --debug"
    ),
    "tokens": "--fail-on --out --json --overwrite --offline --debug --models-from --jobs --dask",
    "index": "--fail-on --accepted --write-accepted --sarif --out --json --debug",
    "mixture": (
        "--corpora --corpus --method --merges --skip-merges --after --max-bytes --denominator --solver "
        "--bootstrap --cache --jobs --baselines --fail-on --out --json --seed --overwrite --offline --debug"
    ),
    "audit": (
        "--parallel --reference-language --corpora --reference --renyi --overlap --inference --pairs --gini "
        "--morphology --words --wordlist --prune-plan --fail-on --accepted --write-accepted --sarif --out "
        "--json --seed --overwrite --offline --debug --models-from --jobs --dask"
    ),
    "compare": "--fail-on --accepted --write-accepted --sarif --out --json --overwrite --offline --debug",
    "export": "--format --what --reserved --past-vocabulary --keep --debug",
    "membership": (
        "--texts --controls --dataset --order --shards --shuffles --max-lines --max-tokens --bootstrap "
        "--permutations --tokenizer --device --dtype --threads --fail-on --out --json --seed --overwrite "
        "--offline --debug"
    ),
    "repair": (
        "--from --write --method --resize-to --multiple-of --reserved --past-vocabulary --keep --corpora "
        "--force --tokenizer --device --dtype --threads --fail-on --out --json --overwrite --offline "
        "--debug"
    ),
    "report": "--json --debug",
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", command_names())
def test_every_command_explains_itself_with_a_runnable_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert re.search(rf"Example: forensics {name} \w+", text)
    missing = [option for option in PROMISED[name].split() if not re.search(rf"(?<!\S){option}\b", text)]
    assert missing == []


def test_every_option_has_a_help_text() -> None:
    import click

    for name in command_names():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (name, parameter.name)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from forensics.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'pyarrow', 'matplotlib', 'rich', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name in command_names():
        assert re.search(rf"{name}\s+[A-Z].*\.$", done.stdout, re.MULTILINE)


def test_the_help_of_scan_imports_no_model_library() -> None:
    code = (
        "import sys\n"
        "from forensics.cli.main import run\n"
        "assert run(['scan', '--help']) == 0\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"forensics {__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    line = [sys.executable, "-m", "forensics", "--version"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout == f"forensics {__version__}\n"


def test_scan_passes_every_option_on(fake_api: FakeApi) -> None:
    line = (
        "scan folder/model.gguf --no-verify --candidates 1.5 --max-candidates 9 --audit-sample 7 "
        "--tokens 1-3 --reference 5,6 --indicator eout_l2 --device cpu --dtype float32 --batch-size 4 "
        "--threads 2 --seed 11 --out here --no-resume --overwrite --offline --estimate-tokens 64 "
        "--corpora text --geometry --bigrams 40 --runtime llamacpp --endpoint http://host:1 "
        "--endpoint-model m --max-requests 8"
    )
    assert run(line.split()) == 0
    ((name, options),) = fake_api.calls
    assert name == "scan"
    options.pop("progress")
    assert options.pop("command_line") == ["forensics", *line.split()]
    assert options == {
        "model": "folder/model.gguf", "tokenizer": None, "verify": False, "candidates": 1.5,
        "max_candidates": 9, "audit_sample": 7, "tokens": [1, 2, 3], "reference": [5, 6],
        "indicator": "eout_l2", "device": "cpu", "dtype": "float32", "batch_size": 4, "threads": 2,
        "census": False, "estimate_tokens": 64, "corpora": ("text",), "geometry": True,
        "bigrams": 40,
        "runtime": "llamacpp", "endpoint": "http://host:1", "endpoint_model": "m", "max_requests": 8,
        "seed": 11, "out": Path("here"), "resume": False,
        "overwrite": True, "offline": True, "trust_remote_code": False,
    }  # fmt: skip


def test_scan_writes_into_a_folder_named_after_the_model(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "org/some-model"]) == 0
    folder = Path("results/some-model")
    assert {path.name for path in folder.iterdir()} == {
        "tokens.parquet", "summary.json", "manifest.json", "report.md", "report.html", "plots",
    }  # fmt: skip
    assert str(folder / "report.html") in capsys.readouterr().out


def test_the_summary_for_people_shows_finding_worst_tokens_and_report(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "demo"]) == 0
    out = capsys.readouterr().out
    assert "tested tokens are under-trained" in " ".join(out.split())
    assert "config 472, matrix 472, tokenizer 464" in out
    assert "\x1b" not in out
    assert not [c for c in out if c in "\u202e\u200b\x00"]
    table = out[out.index("max_prob") :].splitlines()[1:]
    assert len([line for line in table if "verified" in line]) == 10


def test_json_is_one_object_and_nothing_else(fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    def greet(_: dict[str, Any]) -> None:
        sys.stdout.write("a library says hello")

    fake_api.before = greet
    assert run(["scan", "demo", "--json", "--fail-on", "verified>9999"]) == 0
    captured = capsys.readouterr()
    whole = json.loads(captured.out)
    saved = load_results(Path("results/demo")).summary
    assert whole["verification"]["verified"] == saved.verification.verified
    assert whole["out"] == str(Path("results/demo"))
    assert whole["fail_on"] == {"verified>9999": False}
    assert "hello" in captured.err


def test_a_condition_that_is_met_exits_with_one_and_says_which(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "demo", "--fail-on", "verified>3", "--fail-on", "unreachable>100"]) == 1
    error = capsys.readouterr().err
    assert "failed: verified>3 (verified is 35)" in error
    assert "unreachable" not in error
    assert Path("results/demo/report.html").exists()


def test_a_gate_on_a_number_the_run_lacks_is_an_error_after_saving(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_api.verified = False
    assert run(["scan", "demo", "--fail-on", "verified>3"]) == 2
    assert "there is no model" in capsys.readouterr().err
    assert Path("results/demo/summary.json").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("scan", "MODEL"),
        ("scan demo --candidates 0", "--candidates"),
        ("scan demo --fail-on nonsense", "--fail-on"),
        ("scan demo --tokens absent.txt", "absent.txt"),
        ("scan demo --nonsense", "--nonsense"),
        ("nonsense", "nonsense"),
        ("report absent", "absent"),
    ],
)
def test_bad_usage_is_one_line_before_any_work(
    line: str, said: str, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(rf"error: .*{re.escape(said)}.*\n", captured.err)
    assert fake_api.calls == []


def test_a_file_in_place_of_the_output_folder_is_found_before_any_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("taken").write_text("")
    assert run(["tokens", "nowhere", "--out", "taken/here"]) == 2
    assert capsys.readouterr().err == "error: taken: is a file, not a folder; choose another --out\n"


def _raise(error: BaseException) -> Any:
    def before(options: dict[str, Any]) -> None:
        raise error

    return before


def test_errors_of_the_library_are_one_line_and_a_traceback_only_on_request(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_api.before = _raise(BadInputError("model.gguf", "truncated", "download it again"))
    assert run(["scan", "demo"]) == 2
    assert capsys.readouterr().err == "error: model.gguf: truncated; download it again\n"
    for line in (["--debug", "scan", "demo"], ["scan", "demo", "--debug"]):
        assert run(line) == 2
        error = capsys.readouterr().err
        assert "Traceback" in error
        assert error.endswith("error: model.gguf: truncated; download it again\n")


def test_a_bug_is_called_a_bug(fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    fake_api.before = _raise(ZeroDivisionError("division\nby zero"))
    assert run(["scan", "demo"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: internal error (ZeroDivisionError: division by zero); this is a bug")
    assert error.count("\n") == 1
    assert "--debug" in error


def test_an_interrupt_says_what_is_kept(fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(options: dict[str, Any]) -> None:
        options["out"].mkdir(parents=True)
        (options["out"] / "verification.jsonl").write_text("{}\n")
        raise KeyboardInterrupt

    fake_api.before = interrupt
    assert run(["scan", "demo"]) == 130
    assert f"interrupted; what was done so far is kept in {Path('results/demo')}" in capsys.readouterr().err
    fake_api.before = _raise(KeyboardInterrupt())
    assert run(["scan", "demo", "--out", "other"]) == 130
    assert "nothing had been written" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet_and_no_verdict() -> None:
    code = "import sys; from forensics.cli.main import main; main(['scan', '--help'])"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


def test_tokens_and_report_run_to_their_end(fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tokens", "demo", "--out", "vocabulary"]) == 0
    capsys.readouterr()
    before = Path("vocabulary/report.html").read_bytes()
    Path("vocabulary/report.html").unlink()
    assert run(["report", "vocabulary"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == str(Path("vocabulary/report.html"))
    assert Path("vocabulary/report.html").read_bytes() == before
    assert run(["report", "vocabulary", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["out"] == "vocabulary"
