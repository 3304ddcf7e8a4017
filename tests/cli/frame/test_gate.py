"""The gate from the command line, on the planted scan, whose findings are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sarif_kit.validate import validation_errors

from forensics.cli.main import run
from forensics.report.kinds import kind_names, kind_of
from forensics.report.results import Results
from forensics.schema.finding import Finding
from tests.cli.conftest import FakeApi
from tests.report.synthetic import build


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def planted() -> tuple[Finding, ...]:
    tokens, summary, manifest = build()
    return kind_of("scan").findings(Results(summary, {"tokens": tokens}, manifest))


FINDINGS = planted()
ERRORS = [finding for finding in FINDINGS if finding.level == "error"]


def accept(findings, path: str = "accepted.toml", more: str = "") -> None:
    entries = [f'[[accepted]]\nfingerprint = "{each}"\nreason = "reviewed"\n{more}\n' for each in
               dict.fromkeys(finding.fingerprint for finding in findings)]  # fmt: skip
    Path(path).write_text("\n".join(entries), "utf-8")


def scan(*options: str) -> int:
    return run(["scan", "planted", "--out", "out", *options])


def test_every_analysing_command_takes_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    for name in set(kind_names()):
        assert run([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert [flag for flag in ("--accepted", "--write-accepted", "--sarif") if flag not in text] == []


def test_errors_fail_the_gate_until_they_are_accepted(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ERRORS
    assert scan("--fail-on", "error") == 1
    accept(ERRORS)
    assert scan("--fail-on", "error", "--fail-on", "errors>0", "--accepted", "accepted.toml") == 0
    shown = capsys.readouterr().out
    assert f"accepted  {len(ERRORS)} of {len(FINDINGS)} findings" in shown
    assert shown.count(": reviewed") == len(ERRORS)
    accept(ERRORS[1:])
    assert scan("--fail-on", "error", "--accepted", "accepted.toml") == 1
    said = capsys.readouterr().err
    assert f"failed: error (findings of this level or worse: 1, the first {ERRORS[0].rule}: " in said
    # The library is not asked to accept anything: a run has all its findings.
    assert all("accepted" not in options and "sarif" not in options for _, options in fake_api.calls)


def test_an_expired_and_a_stale_entry_are_reported_and_do_not_count(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(ERRORS, more="expires = 2020-01-31")
    with Path("accepted.toml").open("a", encoding="utf-8") as file:
        file.write('[[accepted]]\nfingerprint = "0000000000000000"\nreason = "gone"\n')
    assert scan("--fail-on", "error", "--accepted", "accepted.toml", "--json") == 1
    output = capsys.readouterr()
    shown = json.loads(output.out)
    assert shown["fail_on"] == {"error": True}
    assert shown["accepted"]["findings"] == []
    assert shown["accepted"]["stale"] == [{"reason": "gone", "fingerprint": "0000000000000000"}]
    assert {entry["expires"] for entry in shown["accepted"]["expired"]} == {"2020-01-31"}
    assert "0000000000000000: no such finding any longer" in output.err
    assert "expired on 2020-01-31 and counts no more" in output.err


def test_json_names_what_is_accepted_and_why(fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    accept(ERRORS[:1])
    assert scan("--accepted", "accepted.toml", "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)["accepted"]["findings"]
    found = ERRORS[0]
    named = {"rule": found.rule, "subject": found.subject, "fingerprint": found.fingerprint}
    assert shown == {**named, "reason": "reviewed"}
    assert scan("--json") == 0
    assert "accepted" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("text", ["[[accepted]", "x = 1", '[[accepted]]\nfingerprint = "0"\nreason = ""'])
def test_a_damaged_file_is_refused_before_the_long_work(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("accepted.toml").write_text(text, "utf-8")
    assert scan("--accepted", "accepted.toml") == 2
    assert fake_api.calls == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: accepted.toml: ")


def test_a_missing_file_is_refused_before_the_long_work(fake_api: FakeApi) -> None:
    assert scan("--accepted", "nowhere.toml") == 2
    assert fake_api.calls == []


def test_a_written_file_accepts_everything_once_it_has_reasons(
    fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan("--write-accepted", "new.toml") == 0
    assert scan("--accepted", "new.toml") == 2
    assert "has no reason" in capsys.readouterr().err
    path = Path("new.toml")
    path.write_text(path.read_text("utf-8").replace('reason = ""', 'reason = "seen"'), "utf-8")
    assert scan("--accepted", "new.toml", "--fail-on", "note") == 0
    before = path.read_bytes()
    # Written over itself, it keeps its reasons; over another, it would lose them.
    assert scan("--accepted", "new.toml", "--write-accepted", "new.toml") == 0
    assert path.read_text("utf-8").count('reason = "seen"') == before.decode().count('reason = "seen"')
    calls = len(fake_api.calls)
    assert scan("--write-accepted", "new.toml") == 2
    assert "--write-accepted: new.toml exists already" in capsys.readouterr().err
    assert len(fake_api.calls) == calls


def test_sarif_holds_every_finding_and_marks_the_accepted(fake_api: FakeApi) -> None:
    accept(ERRORS)
    assert scan("--accepted", "accepted.toml", "--sarif", "found.sarif", "--fail-on", "error") == 0
    log = json.loads(Path("found.sarif").read_text("utf-8"))
    assert validation_errors(log) == []
    results = log["runs"][0]["results"]
    assert len(results) == len(FINDINGS)
    suppressed = [result["level"] for result in results if "suppressions" in result]
    assert suppressed == ["error"] * len(ERRORS)


def test_sarif_is_written_when_the_gate_fails_too(fake_api: FakeApi) -> None:
    assert scan("--sarif", "found.sarif", "--fail-on", "note") == 1
    assert Path("found.sarif").exists()
