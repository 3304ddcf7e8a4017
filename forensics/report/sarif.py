"""Findings as SARIF 2.1.0, the form in which code scanning of GitHub takes them.

The standard asks for little, GitHub for more (its page on SARIF support): a finding without a location is not
shown at all, the location must be relative to the repository, and of all fingerprints it reads only
`primaryLocationLineHash`. Accepted findings stay in, marked as suppressed. Nothing here depends on the time.

Where a finding is shown is worked out in `places`. Fingerprints know nothing of lines, so that an entry that
moves down stays the same alert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from typing import NotRequired, TypedDict
from urllib.parse import quote

from forensics.report.accepted import Acceptance, Judgement
from forensics.report.places import Place
from forensics.schema.finding import Finding, Level, Rule

__all__ = ["Log", "SarifRun", "sarif_log", "sarif_run"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: GitHub's limit for the short description of a rule.
_SHORT = 1024
#: GitHub reads this many results of a run; the worst come first.
_RESULTS = 25_000
#: The word for a level in GitHub's property `problem.severity`.
_SEVERITY = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}

_Text = TypedDict("_Text", {"text": str, "markdown": NotRequired[str]})  # noqa: UP013
#: Keys with dots, which a class cannot have.
_RuleProperties = TypedDict("_RuleProperties", {"tags": list[str], "precision": str, "problem.severity": str})


class _Configuration(TypedDict):
    level: str


class _RuleEntry(TypedDict):
    id: str
    shortDescription: _Text
    fullDescription: _Text
    help: _Text
    defaultConfiguration: _Configuration
    properties: _RuleProperties


class _Driver(TypedDict):
    name: str
    version: str
    informationUri: NotRequired[str]
    rules: list[_RuleEntry]


class _Tool(TypedDict):
    driver: _Driver


class _Artifact(TypedDict):
    uri: str


class _Region(TypedDict):
    startLine: int


class _Physical(TypedDict):
    artifactLocation: _Artifact
    region: _Region


class _Location(TypedDict):
    physicalLocation: _Physical


class _Suppression(TypedDict):
    kind: str
    status: str
    justification: str


class _Result(TypedDict):
    ruleId: str
    ruleIndex: int
    level: str
    message: _Text
    locations: list[_Location]
    partialFingerprints: dict[str, str]
    suppressions: NotRequired[list[_Suppression]]
    properties: dict[str, str | int | float | bool | None]


class _Automation(TypedDict):
    id: str


class SarifRun(TypedDict):
    """The findings about one input."""

    tool: _Tool
    automationDetails: _Automation
    columnKind: str
    results: list[_Result]


#: Its first key is no name in Python.
Log = TypedDict("Log", {"$schema": str, "version": str, "runs": list[SarifRun]})


def sarif_log(runs: Sequence[SarifRun]) -> Log:
    """Return runs as a SARIF log."""
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": list(runs)}


def sarif_run(
    judgement: Judgement, rules: Sequence[Rule], command: str, name: str, places: Mapping[str, Place]
) -> SarifRun:
    """Return the findings about one input.

    :param judgement: Open findings, and accepted ones with their reasons.
    :param rules: All rules of the command, also those that found nothing.
    :param command: The command's name.
    :param name: What was examined; of several inputs each has a name of its own, because code scanning takes
        what it knew under a name for solved if it is not found again.
    :param places: Fingerprint -> where the finding is shown, see `places_of`.
    """
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    by: list[tuple[Finding, Acceptance | None]] = [(finding, None) for finding in judgement.open]
    by += judgement.accepted
    return SarifRun(
        tool={"driver": _driver(rules, command)},
        automationDetails={"id": f"forensics-{command}/{quote(name)}/"},
        columnKind="unicodeCodePoints",
        results=[
            _result(finding, reason, numbers[finding.rule], places[finding.fingerprint])
            for finding, reason in by[:_RESULTS]
        ],
    )


def _driver(rules: Sequence[Rule], command: str) -> _Driver:
    """Return the tool, with the address that its package names, if it names one."""
    from forensics import __version__

    driver = _Driver(name="forensics", version=__version__, rules=[_rule(rule, command) for rule in rules])
    try:
        addresses = metadata("forensics").get_all("Project-URL") or []
    except PackageNotFoundError:
        addresses = []
    if addresses:
        driver["informationUri"] = addresses[0].partition(",")[2].strip()
    return driver


def _rule(rule: Rule, command: str) -> _RuleEntry:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.meaning[:_SHORT]},
        "fullDescription": {"text": rule.meaning[:_SHORT]},
        "help": {"text": f"{rule.meaning} {rule.remedy}", "markdown": f"{rule.meaning}\n\n{rule.remedy}"},
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {
            "tags": ["model", command],
            "precision": "high",
            "problem.severity": _SEVERITY[rule.level],
        },
    }


def _result(finding: Finding, by: Acceptance | None, rule_index: int, place: Place) -> _Result:
    result = _Result(
        ruleId=finding.rule,
        ruleIndex=rule_index,
        level=finding.level.value,
        message={"text": finding.message},
        locations=[
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": place.uri},
                    "region": {"startLine": place.line},
                }
            }
        ],
        partialFingerprints={"primaryLocationLineHash": finding.fingerprint},
        properties={"subject": finding.subject, **finding.evidence},
    )
    if by is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": by.reason}]
    return result
