from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from forensics.report.kinds import kind_of
from forensics.report.results import Results, Summary
from forensics.schema.scan import (
    EstimateSummary,
    FloorSummary,
    IndicatorSummary,
    ScanSummary,
    ThresholdSummary,
    VerificationSummary,
)
from tests.report.synthetic import build, vocabulary_of

_, PLANTED, _ = build()


def _results(summary: Summary) -> Results[Any]:
    return Results(summary, {"tokens": pd.DataFrame({"token_id": range(50)})})


def _scan(verification: VerificationSummary) -> Results[ScanSummary]:
    return _results(replace(PLANTED, verification=verification))


def headline(results: Results[Any]) -> str:
    return kind_of(results.summary.kind).headline(results)


def test_a_verified_run_quotes_count_estimate_interval_and_floor() -> None:
    floor = FloorSummary(share=0.02, interval=(0.002, 0.07), n=100)
    results = _scan(
        VerificationSummary(1200, 35, estimate_total=400.4, interval=(350, 460), false_alarm_floor=floor)
    )
    assert headline(results) == (
        "35 of 1,200 tested tokens are under-trained: prompted to repeat them, the model stays below a "
        "probability of 0.01. Over all ordinary tokens of the vocabulary the estimate is 400 (95 % interval "
        "350 to 460). False-alarm floor: 2 % of ordinary tokens fail the same prompts (100 drawn, "
        "95 % interval 0.2 to 7 %)."
    )
    assert [tile.value for tile in kind_of("scan").tiles(results)][:3] == ["35", "400", "2 %"]


def test_a_run_that_could_not_verify_says_why() -> None:
    threshold = ThresholdSummary(0.2, 7, "", "gap")
    indicator = IndicatorSummary(
        "eout_cosine",
        "",
        "",
        {},
        None,
        None,
        None,
        percent=2.0,
        n_candidates=10,
        data_driven=threshold,
        names=(),
    )
    verification = VerificationSummary(skipped="the folder holds no model.")
    results = _results(replace(PLANTED, verification=verification, indicator=indicator))
    assert headline(results) == (
        "By weights alone, 10 tokens are candidates (the lowest 2 % by eout_cosine). The threshold found in "
        "the data puts 7 below it. Nothing was verified by prompting: the folder holds no model."
    )


def test_a_vocabulary_alone_counts_what_cannot_occur() -> None:
    vocabulary = vocabulary_of(PLANTED)
    counts = replace(vocabulary.counts, unreachable=3, partial_utf8=4)
    tokenizer = replace(vocabulary.tokenizer, vocab_size=50)
    results = _results(replace(vocabulary, counts=counts, tokenizer=tokenizer))
    assert headline(results).startswith("Of 50 tokens, 3 can never be produced from text")


def test_a_verification_with_nothing_in_it_still_gives_a_sentence() -> None:
    assert headline(_scan(VerificationSummary())).endswith(
        "Nothing was verified by prompting: verification was switched off."
    )
    estimate = VerificationSummary(1, 1, expected_false_alarms=EstimateSummary(None, (None, None)))
    assert headline(_scan(estimate)) == (
        "1 of 1 tested tokens is under-trained: prompted to repeat it, the model stays below a probability "
        "of 0.01."
    )
