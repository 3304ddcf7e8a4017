"""The command line of `audit`, through `run`, on a tiny tokenizer."""

import json
from pathlib import Path

import pytest

from forensics.cli.main import run
from tests.runs.audit.small import write_corpora, write_parallel, write_tokenizer

SCREEN = 40


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    place = tmp_path_factory.mktemp("audit")
    tokenizer, parallel = write_tokenizer(place / "tiny"), write_parallel(place / "parallel")
    corpora, out = write_corpora(place / "corpora"), place / "out"
    return ["audit", *map(str, (tokenizer, "--parallel", parallel, "--corpora", corpora, "--out", out))]


def test_the_summary_is_a_screen_at_most_and_names_the_report(arguments, capsys):
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tiny needs ") and len(shown.splitlines()) <= SCREEN
    assert f"report  {arguments[-1]}/report.html" in shown
    assert "template/special-missing" in shown


def test_json_is_one_object_with_premium_interval_and_variant(arguments, capsys):
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    chinese = found["languages"]["of"]["zho_Hans"]
    assert chinese["variant"] == "sum_ratio/lines/no_specials"
    assert chinese["interval"][0] < chinese["premium"] < chinese["interval"][1]


@pytest.mark.parametrize(
    ("condition", "code"),
    [("warning", 1), ("error", 0), ("errors>0", 0), ("highest_premium>1", 1), ("median_premium>1000", 0)],
)
def test_the_gate_knows_findings_and_premiums(arguments, condition, code, capsys):
    assert run([*arguments, "--fail-on", condition]) == code
    assert ("failed: " in capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("premium:fra_Latn>1", 1),
        ("premium:zho_Hans>1000", 0),
        ("fertility:eng_Latn >= 1", 1),
        ("tokens:zho_Hans==0", 0),
    ],
)
def test_the_gate_knows_every_number_of_a_language(arguments, condition, code, capsys):
    assert run([*arguments, "--fail-on", condition]) == code
    assert ("failed: " + condition.replace(" ", "") in capsys.readouterr().err) == bool(code)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("premium:zho_Hant>1", "the run has no 'zho_Hant'; did you mean premium:zho_Hans"),
        ("fertility:zho_Hans>1", "no number 'fertility:zho_Hans' (Han is written without spaces"),
        ("renyi_of_size:eng_Latn<1", "(ask for it with --renyi)"),
        ("premium>1", "there is no number 'premium'; choose from median_premium"),
        ("script:eng_Latn>1", "there is no number 'script:eng_Latn'"),
        ("premium:eng_Latn:x>1", "found 'premium:eng_Latn:x>1'"),
        ("errors:eng_Latn>1", "there is no number 'errors:eng_Latn'"),
    ],
)
def test_a_number_that_no_language_has_is_one_line(arguments, condition, said, capsys):
    assert run([*arguments, "--fail-on", condition]) == 2
    (line,) = (each for each in capsys.readouterr().err.splitlines() if each.startswith("error: "))
    assert said in line and "--fail-on" in line


def test_code_scanning_is_shown_files_and_lines(arguments, tmp_path, monkeypatch):
    folder = Path(arguments[1])
    monkeypatch.chdir(folder.parent)
    assert run([*arguments, "--sarif", str(tmp_path / "log.sarif")]) == 0
    (log,) = json.loads((tmp_path / "log.sarif").read_text())["runs"]
    shown = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in log["results"]}
    template, special = shown["template/special-missing"], shown["special/from-text"]
    assert template["artifactLocation"]["uri"] == "tiny/tokenizer_config.json"
    assert special["artifactLocation"]["uri"] == "tiny/tokenizer.json"
    lines = (folder / "tokenizer.json").read_text().split("\n")
    assert '"added_tokens"' in lines[special["region"]["startLine"] - 1]


def test_a_language_that_is_not_there_is_one_line_with_the_option_as_typed(arguments, capsys):
    assert run([*arguments, "--reference-language", "xxx"]) == 2
    (line,) = (each for each in capsys.readouterr().err.splitlines() if each.startswith("error: "))
    assert "no language 'xxx'" in line and "--reference-language" in line
