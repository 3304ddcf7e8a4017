"""`index` on runs whose numbers are planted, and on folders that are damaged in every way there is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError
from forensics.report.kinds import kind_of
from forensics.report.results import Results
from forensics.runs.frame.journal import Journal
from tests.report.synthetic import build, save, vocabulary_of
from tests.tiny_checkpoints import bare_report

TOKENS, SUMMARY, MANIFEST = build()
MANIFEST["fingerprint"] = "of a run"
VOCABULARY = [name for name in kind_of("tokens").tables[0].names if name in TOKENS]


@pytest.fixture(scope="module")
def _results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scans of one vocabulary, and a run of `tokens` with one piece more."""
    root = tmp_path_factory.mktemp("results")
    more = TOKENS[TOKENS["category"] != "unused_row"][VOCABULARY].copy()
    last = more.iloc[[-1]].assign(token_id=len(more), piece="added", text="added", bytes=[b"added"])
    with patch("forensics.report.render.render", bare_report):
        save(root / "one", TOKENS, SUMMARY, MANIFEST)
        save(root / "deep" / "er" / "two <b>", TOKENS, SUMMARY, MANIFEST)
        save(root / "vocabulary", pd.concat([more, last]), vocabulary_of(SUMMARY), MANIFEST)
    return root


@pytest.fixture
def results(_results: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to do damage to; modification times are kept."""
    yield Path(shutil.copytree(_results, tmp_path / "results"))


def test_every_run_has_its_counts_findings_and_report(results: Path) -> None:
    found = fx.index(results).record
    assert [each.folder for each in found.runs] == ["deep/er/two <b>", "one", "vocabulary"]
    two, one, vocabulary = found.runs
    prompted = SUMMARY.verification
    assert (one.verified, one.unknown_in_text, one.tested) == (
        prompted.verified,
        prompted.unknown_in_text,
        prompted.tested,
    )
    assert (one.estimate_low, one.estimate_high) == prompted.interval
    levels = [each.level for each in kind_of("scan").findings(Results(SUMMARY, {"tokens": TOKENS}, MANIFEST))]
    assert (one.errors, one.warnings, one.notes) == tuple(map(levels.count, ("error", "warning", "note")))
    assert one.numbers["verified"] == prompted.verified
    assert one.version == MANIFEST["versions"]["forensics"]
    assert (vocabulary.command, vocabulary.verified, vocabulary.tested) == ("tokens", None, None)
    assert two.report == "deep/er/two <b>/report.html"
    assert found.commands == {"scan": 2, "tokens": 1}
    assert found.verdicts == {
        name: 2 * getattr(prompted, name) for name in ("strong", "weak", "inconclusive", "rejected")
    }


def test_runs_of_one_vocabulary_are_together_and_what_goes_on_names_its_beginning(results: Path) -> None:
    found = fx.index(results).record
    shared, longer = found.vocabularies
    assert (shared.folders, longer.folders) == (("deep/er/two <b>", "one"), ("vocabulary",))
    assert (longer.begins_with, longer.more) == (shared.number, 1)
    assert [each.vocabulary for each in found.runs] == [1, 1, 2]


def _cut_table(root: Path) -> None:
    (root / "one" / "tokens.parquet").write_bytes(b"PAR1")


def _break_summary(root: Path) -> None:
    (root / "one" / "summary.json").write_text("{")


def _lose_key(root: Path) -> None:
    path = root / "one" / "summary.json"
    kept = json.loads(path.read_text())
    del kept["embedding"]
    path.write_text(json.dumps(kept))


def _unknown_kind(root: Path) -> None:
    (root / "one" / "summary.json").write_text('{"kind": "of the future"}')


def _other_columns(root: Path) -> None:
    pd.DataFrame({"token_id": [0]}).to_parquet(root / "one" / "tokens.parquet")


def _no_summary(root: Path) -> None:
    (root / "one" / "summary.json").unlink()


def _interrupted(root: Path) -> None:
    for path in (root / "one").iterdir():
        path.unlink()
    journal = Journal(root / "one" / "verification.jsonl", "run")
    journal.keep("a", 1)
    journal.close()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut_table, "tokens.parquet: no readable parquet file"),
        (_break_summary, "summary.json: not valid JSON"),
        (_lose_key, "summary.json: no summary of this version"),
        (_unknown_kind, "its kind is 'of the future'"),
        (_other_columns, "its tables are damaged"),
        (_no_summary, "not finished: there is no summary.json; run the command again"),
        (_interrupted, "not finished: verification.jsonl keeps what was done; the same command continues it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_damaged_or_unfinished_run_is_listed_with_the_reason(results: Path, damage, reason: str) -> None:
    damage(results)
    found = fx.index(results)
    (left,) = found.record.left_out
    assert left.folder == "one"
    assert reason in left.reason
    assert str(results) not in left.reason
    assert [each.folder for each in found.record.runs] == ["deep/er/two <b>", "vocabulary"]
    (finding,) = found.findings
    assert (finding.rule, finding.subject) == ("run-left-out", "one")


def test_a_folder_that_cannot_be_looked_into_is_listed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(do):
        def look(path, *more):
            if str(path) == str(results / "one"):
                raise PermissionError(13, "Permission denied", str(path))
            return do(path, *more)

        return look

    monkeypatch.setattr(os, "scandir", guarded(os.scandir))
    monkeypatch.setattr(os, "listdir", guarded(os.listdir))
    found = fx.index(results).record
    assert [(each.folder, each.reason) for each in found.left_out] == [
        ("one", "cannot be looked into (Permission denied); check its permissions")
    ]
    assert len(found.runs) == 2


def test_files_of_others_are_passed_over(results: Path) -> None:
    other = results / "other"
    other.mkdir()
    (other / "summary.json").write_text('{"loss": 1}')
    (other / "manifest.json").write_text('{"name": "a web app"}')
    (other / "lines.jsonl").write_text('{"text": "hello"}\n')
    assert fx.index(results).record.left_out == ()


def test_the_page_links_to_the_reports_and_the_files_say_the_same(results: Path) -> None:
    found = fx.index(results, out=results / "index")
    page = (results / "index" / "report.html").read_text()
    assert '<a href="../deep/er/two%20%3Cb%3E/report.html">' in page
    assert "data-sortable" in page and "<b>/report" not in page
    assert "](../one/report.html)" in (results / "index" / "report.md").read_text()
    kept = pd.read_parquet(results / "index" / "runs.parquet")
    csv = pd.read_csv(results / "index" / "runs.csv")
    assert kept.verified.tolist()[:2] == csv.verified.tolist()[:2] == [found.record.runs[0].verified] * 2
    assert csv.folder.tolist() == [each.folder for each in found.record.runs]
    whole = json.loads((results / "index" / "index.json").read_text())
    assert [each["folder"] for each in whole["runs"]] == csv.folder.tolist()
    assert "seconds" not in whole


def test_an_index_is_made_anew_and_lists_no_index(results: Path) -> None:
    fx.index(results, out=results / "index")
    first = (results / "index" / "index.json").read_bytes()
    fx.index(results, out=results / "index")
    assert (results / "index" / "index.json").read_bytes() == first
    shutil.rmtree(results / "one")
    assert len(fx.index(results, out=results / "index").record.runs) == 2
    assert run(["report", str(results / "index")]) == 0


def test_a_folder_without_runs_is_one_line_and_stays_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["index", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}: holds no run of forensics; give a folder above those that forensics wrote\n"
    )
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadInputError, match="no such folder"):
        fx.index(tmp_path / "absent", out=tmp_path / "absent" / "index")
    assert list(tmp_path.iterdir()) == []


def test_the_gate_counts_over_all_runs(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(results), "--fail-on", "most_verified>3", "--fail-on", "left_out>0"]) == 1
    assert f"failed: most_verified>3 (most_verified is {SUMMARY.verification.verified})" in (
        capsys.readouterr().err
    )
