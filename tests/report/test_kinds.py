"""What every command shows of a run: findings, gate numbers and the brief, from planted runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forensics.errors import BadInputError
from forensics.report.kinds import kind_names, kind_of
from forensics.report.render import save_run
from forensics.report.results import Results, load_results
from forensics.schema.finding import Finding, Level
from forensics.schema.index import IndexSummary, LeftOutEntry, RunEntry
from forensics.schema.mixture import (
    AsideSummary,
    MixtureSummary,
    MixtureTokenizer,
    SplittingSummary,
    UnmadeSummary,
    ViolationSummary,
)
from forensics.schema.scan import VerificationSummary
from forensics.schema.sticky import PoolingSummary, StickySummary, StickyTokenizer
from forensics.schema.tokenizer import MergeProblemEntry, MergesSummary
from tests.report.synthetic import HOSTILE, PAST, build, vocabulary_of


def _planted(**changed: Any) -> Results[Any]:
    tokens, summary, manifest = build()
    return Results(replace(summary, **changed), {"tokens": tokens}, manifest)


def _findings(results: Results[Any], rule: str | None = None) -> list[Finding]:
    found = kind_of(results.summary.kind).findings(results)
    return [each for each in found if rule in (None, each.rule)]


def _number(results: Results[Any], name: str) -> float | None:
    numbers = {number.name: number for number in kind_of(results.summary.kind).numbers}
    return numbers[name].value(results)


def _mixture(**changed: Any) -> Results[MixtureSummary]:
    nothing = AsideSummary(0, ())
    summary = MixtureSummary(
        kind="mixture", model="tiny", tokenizer=MixtureTokenizer("tiny", "tokenizer.json"),
        splitting=SplittingSummary("its own rule", "lines"), method="curve", reliable=True, doubts=(),
        proportions={"a": 0.25, "b": 0.75}, interval={"a": (0.2, 0.3), "b": (0.7, 0.8)}, bootstrap=4,
        groups={}, other_method=None, merges_total=9, merges_dropped={},
        merges_aside={"by_hand": nothing, "unformable": nothing},
        tokens_without_merge=UnmadeSummary(0, 0, ()), duplicate_pieces=0, merges_skipped=0, merges_used=2,
        missing_merges=0, missing_examples=(), least_expected_count=3.0,
        violation=ViolationSummary(0.1, 0.1, None, None), early_late_disagreement=0.0, unexplained=(),
        baselines=None, notes=(), text={}, seconds={"count": 1.0}, peak_rss_bytes=0,
    )  # fmt: skip
    merges = pd.DataFrame(
        {"step": [0, 1], "left": ["a", "b"], "right": ["b", "c"], "count_per_byte": [0.2, 0.1],
         "curve_per_byte": [0.2, 0.15]}
    )  # fmt: skip
    return Results(replace(summary, **changed), {"merges": merges})


def _sticky() -> Results[StickySummary]:
    summary = StickySummary(
        kind="sticky", model="tiny", method="std", pooling=PoolingSummary("mean", "the user"),
        tokenizer=StickyTokenizer("WordPiece", 3), backend="torch", insertions=8, asked_for=None,
        mean_token_similarity=0.5, mean_token_similarity_sample=None, available=3, shortlisted=2, sticky=1,
        notes=(), seconds={}, peak_rss_bytes=0, score_threshold=1.0,
    )  # fmt: skip
    tokens = pd.DataFrame(
        {"token_id": [0, 1, 2], "piece": ["a", "##b", "c"], "text": ["a", "b", "c"], "category": ["ok"] * 3,
         "sticky_score": [1.0, 3.0, 2.0], "rank": pd.array([None, 1, 2], dtype="Int32"),
         "validation": [None, 0.9, 0.1], "sticky": [False, True, False]}
    )  # fmt: skip
    return Results(summary, {"tokens": tokens})


def _index(*left_out: LeftOutEntry) -> Results[IndexSummary]:
    summary = IndexSummary(
        kind="index", model="results", root="..", commands={"scan": 1}, verdicts={},
        runs=(RunEntry("one", "scan", "tiny", verified=2, errors=1),), left_out=left_out, vocabularies=(),
        notes=(), seconds={}, peak_rss_bytes=0,
    )  # fmt: skip
    return Results(summary, {})


DAMAGED = _index(LeftOutEntry("two", "cut short"))
ALL = [DAMAGED, _planted(), Results(vocabulary_of(build()[1]), _planted().tables), _mixture(), _sticky()]


@pytest.mark.parametrize("results", ALL, ids=lambda results: results.summary.kind)
def test_every_finding_has_a_rule_and_is_counted_by_the_gate(results: Results[Any]) -> None:
    kind = kind_of(results.summary.kind)
    found = _findings(results)
    assert {each.rule for each in found} <= {rule.id for rule in kind.rules}
    assert [each.level.severity for each in found] == sorted((e.level.severity for e in found), reverse=True)
    for level in Level:
        assert _number(results, f"{level}s") == sum(each.level is level for each in found)
    assert len({number.name for number in kind.numbers}) == len(kind.numbers)


@pytest.mark.parametrize("results", ALL[3:], ids=lambda results: results.summary.kind)
def test_what_is_saved_is_loaded_and_rendered(results: Results[Any], tmp_path: Path) -> None:
    kind = kind_of(results.summary.kind)
    written = save_run(tmp_path, kind.name, results.tables, results.summary, {})
    assert load_results(tmp_path).summary == results.summary
    assert kind.headline(results) in written[0].read_text().replace("&#39;", "'")
    if kind.also_as:
        assert (tmp_path / kind.also_as).read_bytes() == (tmp_path / "summary.json").read_bytes()


def test_an_index_warns_of_what_is_left_out_and_counts_over_its_runs() -> None:
    (found,) = _findings(DAMAGED)
    assert (found.rule, found.level, found.subject) == ("run-left-out", Level.WARNING, "two")
    assert _findings(_index()) == []
    names = ("runs", "left_out", "run_errors", "most_verified", "most_unknown_in_text")
    assert [_number(DAMAGED, name) for name in names] == [1, 1, 1, 2, None]


def test_every_command_with_a_report_is_found_by_its_file() -> None:
    assert all(kind_of(name).name == name for name in kind_names())
    with pytest.raises(BadInputError, match="its kind is 'kind'"):
        kind_of("kind")


def test_planted_tokens_are_warnings_and_what_is_no_text_a_note() -> None:
    results = _planted()
    found = _findings(results, "undertrained-token")
    tokens = results.tokens.set_index("token_id")
    warned = {each.token_id for each in found if each.level is Level.WARNING}
    assert {
        i for i in tokens.index[tokens["text"].isin(HOSTILE)] if tokens["role"][i] == "candidate"
    } <= warned
    assert not tokens.loc[sorted(i for i in warned if i is not None), "is_byte"].any()
    assert len(found) == int(results.verified.sum())


def test_an_id_without_a_token_that_can_be_generated_is_an_error() -> None:
    worst = _findings(_planted())[0]
    assert (worst.rule, worst.level) == ("row-past-vocabulary", Level.ERROR)
    assert worst.evidence == {"rows": PAST}


def test_files_that_disagree_are_named() -> None:
    (found,) = _findings(_planted(), "role-disagreement")
    assert found.subject == "pad"
    assert found.message == ("the files disagree about pad: config.json says 1, tokenizer_config.json says 2")


def test_rows_of_zeros_matter_only_where_there_is_a_token() -> None:
    results = _planted()
    assert _findings(results, "row-of-zeros") == []
    tokens = results.tokens.copy()
    tokens.loc[5, "row_problem"], tokens.loc[6, "row_problem"] = "zero", "nan"
    changed = Results(results.summary, {"tokens": tokens})
    assert [each.token_id for each in _findings(changed, "row-of-zeros")] == [5]
    assert [each.token_id for each in _findings(changed, "row-not-finite")] == [6]


def test_a_model_that_follows_no_prompt_blames_no_token() -> None:
    verification = replace(_planted().summary.verification, prompts_unsuitable=True)
    results = _planted(verification=verification)
    assert _findings(results, "undertrained-token") == []
    assert len(_findings(results, "prompts-unsuitable")) == 1


def test_a_number_that_the_run_did_not_establish_is_missing_with_its_reason() -> None:
    results = _planted(verification=VerificationSummary(skipped="switched off"))
    assert _number(results, "verified") is None
    assert kind_of("scan").why_missing(results) == "switched off"
    assert _number(results, "candidates") == 40


def test_odd_merges_and_unreachable_tokens_are_notes() -> None:
    problem = MergeProblemEntry("redundant_merge", "It can never apply.", 3, (["a", "b"],))
    summary = replace(vocabulary_of(build()[1]), merges=MergesSummary(9, (problem,)))
    found = _findings(Results(summary, _planted().tables))
    assert [(each.rule, each.level) for each in found] == [
        ("merge-oddity", Level.NOTE),
        ("unreachable-token", Level.NOTE),
    ]
    assert found[1].piece == " unreachable"


def test_a_sticky_token_is_a_warning_with_its_spelling() -> None:
    (found,) = _findings(_sticky())
    assert (found.token_id, found.piece, found.level) == (1, "##b", Level.WARNING)


def test_a_mixture_in_doubt_shows_no_shares() -> None:
    certain, doubtful = _mixture(), _mixture(doubts=("too little text",), reliable=False)
    (shares,) = kind_of("mixture").brief(certain).tables
    assert shares.rows[0].cells == ("b", " 75.0 %", "[70.0, 80.0]")
    assert kind_of("mixture").brief(doubtful).tables == ()
    assert [each.message for each in _findings(doubtful)] == ["too little text"]


def test_a_summary_that_is_not_of_this_version_names_the_key(run_folder: Path, tmp_path: Path) -> None:
    summary = json.loads((run_folder / "summary.json").read_text())
    del summary["embedding"]["tying"]
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BadInputError, match=r"summary\.json.*tying.*run the command again"):
        load_results(tmp_path)


def test_a_verified_token_that_text_clears_is_a_note_and_the_others_warn() -> None:
    tokens, summary, manifest = build()
    verified = (
        tokens.verdict.fillna("").str.startswith("verified") & tokens.category.eq("ok") & ~tokens.is_byte
    )
    first, *others = tokens.token_id[verified & tokens.reserved.isna()].tolist()
    tokens["cleared_by_text"] = pd.array([pd.NA] * len(tokens), dtype="boolean")
    tokens.loc[first, "cleared_by_text"] = True
    results = Results(summary, {"tokens": tokens}, manifest)
    by_token = {
        each.token_id: each for each in kind_of("scan").findings(results) if each.token_id in (first, *others)
    }
    assert by_token[first].rule == "fails-prompts-only"
    assert by_token[first].level is Level.NOTE
    assert all(by_token[each].rule == "undertrained-token" for each in others)
