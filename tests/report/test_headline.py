from __future__ import annotations

from typing import Any

import pandas as pd

from forensics.report.headline import headline, tiles
from forensics.report.results import Results


def _results(summary: dict[str, Any]) -> Results:
    return Results(pd.DataFrame({"token_id": range(50)}), summary, {})


def test_a_verified_run_quotes_count_estimate_interval_and_floor() -> None:
    floor = {"share": 0.02, "interval": [0.002, 0.07], "n": 100}
    verification = {"tested": 1200, "verified": 35, "estimate_total": 400.4, "interval": [350, 460]}
    results = _results(
        {"verification": verification | {"false_alarm_floor": floor}, "sizes": {"matrix": 5000}}
    )
    assert headline(results) == (
        "35 of 1,200 tested tokens are under-trained: prompted to repeat them, the model stays below a "
        "probability of 0.01. Over all ordinary tokens of the vocabulary the estimate is 400 (95 % interval "
        "350 to 460). False-alarm floor: 2 % of ordinary tokens fail the same prompts (100 drawn, "
        "95 % interval 0.2 to 7 %)."
    )
    assert [tile.value for tile in tiles(results)] == ["35", "400", "2 %"]


def test_a_run_that_could_not_verify_says_why() -> None:
    indicator = {"name": "eout_cosine", "percent": 2.0, "n_candidates": 10, "data_driven": {"n_below": 7}}
    results = _results({"verification": {"skipped": "the folder holds no model."}, "indicator": indicator})
    assert headline(results) == (
        "By weights alone, 10 tokens are candidates (the lowest 2 % by eout_cosine). The threshold found in "
        "the data puts 7 below it. Nothing was verified by prompting: the folder holds no model."
    )


def test_a_vocabulary_alone_counts_what_cannot_occur() -> None:
    counts = {"unreachable": 3, "partial_utf8": 4}
    results = _results({"kind": "tokens", "tokenizer": {"vocab_size": 50}, "counts": counts})
    assert headline(results).startswith("Of 50 tokens, 3 can never be produced from text")


def test_a_summary_with_nothing_in_it_still_gives_a_sentence() -> None:
    assert headline(_results({})) == (
        "No indicator could be computed, and nothing was verified by prompting "
        "(verification was switched off)."
    )
    assert tiles(_results({})) == ()
