from __future__ import annotations

import json

import pytest
from sarif_kit.validate import validation_errors

from forensics.files import dump_json
from forensics.report.accepted import Acceptance, Judgement
from forensics.report.kinds import kind_names, kind_of
from forensics.report.places import Place
from forensics.report.results import Results
from forensics.report.sarif import sarif_log, sarif_run
from forensics.schema.finding import Finding, Level, Rule
from tests.report.synthetic import build

RULES = (
    Rule("one-rule", Level.ERROR, "Something is broken.", "Mend it."),
    Rule("other-rule", Level.NOTE, "Something is odd.", "None is needed."),
)
SHOWN = Place("model/tokenizer.json", 7)
HOSTILE = "](x) {0} \x00\u202e\ud83d <script> " + "long " * 500


def planted() -> Judgement:
    broken = RULES[0].found(HOSTILE, HOSTILE, evidence={"count": 3, "share": float("nan"), "name": None})
    odd = RULES[1].found("the token is odd", "tok", token_id=3, level=Level.WARNING)
    return Judgement(open=(broken,), accepted=((odd, Acceptance("seen in review", "other-rule", "tok")),))


def written(judgement: Judgement, rules=RULES, command="tokens", place=SHOWN):
    """What a reader of the file gets: through JSON and UTF-8, as it is written."""
    every = [*judgement.open, *(finding for finding, _ in judgement.accepted)]
    places = {finding.fingerprint: place for finding in every}
    text = dump_json(sarif_log([sarif_run(judgement, rules, command, "tiny", places)]))
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
        assert place["region"]["startLine"] == 7
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
    places = {finding.fingerprint: Place("m") for finding in many}
    results = sarif_run(Judgement(open=many), RULES, "tokens", "m", places)["results"]
    assert len(results) == 25_000
    assert results[0]["partialFingerprints"]["primaryLocationLineHash"] == many[0].fingerprint
