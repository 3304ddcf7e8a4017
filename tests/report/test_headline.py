from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from forensics.report.kinds import kind_of
from forensics.report.results import Results, Summary
from forensics.schema.scan import (
    EstimateDetails,
    EstimateSummary,
    FloorSummary,
    IndicatorSummary,
    InTextSummary,
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


def test_a_server_without_probabilities_proves_nothing() -> None:
    results = _scan(VerificationSummary(1200, 0, inconclusive=31, interface="said"))
    assert headline(results) == (
        "31 of 1,200 tested tokens are not repeated by the model when it is asked to. The server gives no "
        "probabilities, so this proves nothing and none is verified."
    )
    tile = kind_of("scan").tiles(results)[0]
    assert (tile.value, tile.tone) == ("31", "warn")


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


def test_a_second_look_says_how_many_fail_in_text_too_and_how_many_it_clears() -> None:
    in_text = InTextSummary(cleared=16, fails=3, absent=23, text_tokens=1000, positions=10)
    details = EstimateDetails("two-phase", total_cleared_excluded=26.0, interval_cleared_excluded=(20, 60))
    found = VerificationSummary(
        1200,
        42,
        unknown_in_text=26,
        in_text=in_text,
        estimate_total=50.0,
        interval=(42.0, 79.0),
        estimate=details,
    )
    assert headline(_scan(found)) == (
        "42 of 1,200 tested tokens verify: prompted to repeat them, the model stays below a probability "
        "of 0.01. Ordinary text does not clear 26 of them (3 occur in the text tried and are not expected "
        "there, 23 do not occur and are expected nowhere in it); the other 16 are predicted there, so the "
        "prompts failed and not the training. Of all ordinary tokens an estimated 50 (95 % interval 42 to "
        "79) verify, 26 (95 % interval 20 to 60) of them unknown."
    )
    counted = replace(found, estimate=replace(details, method="census"))
    assert headline(_scan(counted)).endswith(
        "Of all ordinary tokens, every one of them probed, 50 verify, 26 of them unknown."
    )
    assert [tile.value for tile in kind_of("scan").tiles(_scan(found))][:2] == ["26", "42"]


def test_text_may_clear_all_or_none() -> None:
    for in_text, said in (
        (InTextSummary(2, 0, 0, 1, 1), "Ordinary text clears all of them: the model predicts them there"),
        (
            InTextSummary(0, 1, 1, 1, 1),
            "Ordinary text clears none of these 2 (1 occurs in the text tried and is not expected there, 1 "
            "does not occur and is expected nowhere in it).",
        ),
    ):
        found = VerificationSummary(9, 2, unknown_in_text=in_text.fails + in_text.absent, in_text=in_text)
        assert said in headline(_scan(found))


def test_one_token_that_text_clears_is_one() -> None:
    in_text = InTextSummary(cleared=1, fails=1, absent=21, text_tokens=1000, positions=10)
    said = headline(_scan(VerificationSummary(1200, 23, unknown_in_text=22, in_text=in_text)))
    assert "does not clear 22 of them (1 occurs in the text tried and is not expected there" in said
    assert "; the other one is predicted there, so the prompts failed and not the training." in said
