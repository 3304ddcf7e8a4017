from __future__ import annotations

import json
from pathlib import Path

import pytest
from sarif_kit.validate import validation_errors

from forensics.files import dump_json
from forensics.report.accepted import Acceptance, Judgement
from forensics.report.kinds import kind_names, kind_of
from forensics.report.results import Results
from forensics.report.sarif import location, sarif_log
from forensics.schema.finding import Finding, Level, Rule
from tests.report.synthetic import build

RULES = (
    Rule("one-rule", Level.ERROR, "Something is broken.", "Mend it."),
    Rule("other-rule", Level.NOTE, "Something is odd.", "None is needed."),
)
HOSTILE = "](x) {0} \x00\u202e\ud83d <script> " + "long " * 500


def planted() -> Judgement:
    broken = RULES[0].found(HOSTILE, HOSTILE, evidence={"count": 3, "share": float("nan"), "name": None})
    odd = RULES[1].found("the token is odd", "tok", token_id=3, level=Level.WARNING)
    return Judgement(open=(broken,), accepted=((odd, Acceptance("seen in review", "other-rule", "tok")),))


def written(judgement: Judgement, rules=RULES, command="tokens", uri="model/tokenizer.json"):
    """What a reader of the file gets: through JSON and UTF-8, as it is written."""
    text = dump_json(sarif_log(judgement, rules, command, "models/tiny", uri))
    return json.loads(text.encode("utf-8", "backslashreplace"))


def assert_shown_by_github(log) -> None:
    """What GitHub asks for beyond the schema."""
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert rule["fullDescription"]["text"] and rule["help"]["text"] and rule["help"]["markdown"]
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        assert rule["properties"]["tags"]
    assert run["automationDetails"]["id"].endswith("/")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert uri and not uri.startswith(("/", "file:", "..")) and " " not in uri
        assert place["region"]["startLine"] == 1
        assert len(result["partialFingerprints"]["primaryLocationLineHash"]) == 16


def test_a_planted_log_is_valid_and_is_shown() -> None:
    log = written(planted())
    assert validation_errors(log) == []
    assert_shown_by_github(log)


def test_the_validator_sees_what_is_wrong() -> None:
    log = written(planted())
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert validation_errors(log) != []


def test_every_finding_is_there_with_its_level_and_accepted_ones_are_suppressed() -> None:
    broken, odd = written(planted())["runs"][0]["results"]
    assert (broken["ruleId"], broken["level"]) == ("one-rule", "error")
    assert "suppressions" not in broken
    assert broken["properties"]["count"] == 3
    assert (odd["ruleId"], odd["level"]) == ("other-rule", "warning")
    assert odd["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "seen in review"}
    ]


def test_rules_that_found_nothing_are_there_too() -> None:
    log = written(Judgement(open=()))
    assert validation_errors(log) == []
    assert [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]] == ["one-rule", "other-rule"]
    assert log["runs"][0]["results"] == []


def test_the_planted_scan_gives_a_valid_log_of_all_its_findings() -> None:
    tokens, summary, manifest = build()
    kind = kind_of("scan")
    findings = kind.findings(Results(summary, {"tokens": tokens}, manifest))
    assert findings
    log = written(Judgement(open=findings), kind.rules, "scan")
    assert validation_errors(log) == []
    assert_shown_by_github(log)
    prints = [
        result["partialFingerprints"]["primaryLocationLineHash"] for result in log["runs"][0]["results"]
    ]
    assert prints == [finding.fingerprint for finding in findings]


@pytest.mark.parametrize("command", kind_names())
def test_the_rules_of_every_command_are_valid(command: str) -> None:
    rules = kind_of(command).rules
    findings = tuple(Finding(rule.id, rule.level, "planted", "subject") for rule in rules)
    log = written(Judgement(open=findings), rules, command)
    assert validation_errors(log) == []
    assert_shown_by_github(log)


def test_no_more_results_than_github_reads_the_worst_kept() -> None:
    many = tuple(RULES[0].found("message", str(number)) for number in range(25_001))
    results = sarif_log(Judgement(open=many), RULES, "tokens", "m", "m")["runs"][0]["results"]
    assert len(results) == 25_000
    assert results[0]["partialFingerprints"]["primaryLocationLineHash"] == many[0].fingerprint


def entry(path: str, role: str = "model"):
    return {"role": role, "path": path, "size": 1, "sha256": "00"}


def test_a_folder_is_shown_at_its_tokenizer_relative_to_the_working_directory(tmp_path: Path) -> None:
    folder = tmp_path / "a model"
    folder.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_text("{}")
    files = [entry("model.safetensors"), entry("tokenizer.json", "tokenizer")]
    assert location(str(folder), files, tmp_path) == "a%20model/tokenizer.json"
    assert location(str(folder), files[:1], tmp_path) == "a%20model/model.safetensors"
    assert location(str(folder / "tokenizer.json"), files, tmp_path) == "a%20model/tokenizer.json"
    assert location(str(folder), [entry("elsewhere.json")], tmp_path) == "a%20model"


def test_what_lies_elsewhere_is_shown_under_its_name(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    for folder in (outside, root):
        folder.mkdir()
    (outside / "tokenizer.json").write_text("{}")
    assert location(str(outside / "tokenizer.json"), [], root) == "tokenizer.json"
    assert location("org/name", [entry("tokenizer.json", "tokenizer")], root) == "org/name/tokenizer.json"
    assert location("demo", [], root) == "demo"
