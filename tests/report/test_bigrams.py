"""What is said of improbable pairs: a difference, no difference, and a refusal."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from forensics.report.blocks import Facts
from forensics.report.kinds import kind_of
from forensics.report.results import Results
from forensics.report.sections.scan.bigrams import bigrams, bigrams_sentence
from forensics.schema.bigrams import BigramsSummary
from tests.report.synthetic import build

_, PLANTED, _ = build()

TRIED = BigramsSummary(
    in_vocabulary=39_363,
    suitable=2_210,
    pairs=40,
    controls=38,
    pairs_fail=0.45,
    pairs_fail_by_characters=0.125,
    controls_fail=0.4,
    controls_fail_by_characters=0.1,
    difference=0.025,
    p=0.42,
    failed=("a†除", "<b>数"),
)


def results(found: BigramsSummary | None) -> Results:
    tokens = pd.DataFrame({"token_id": range(50)})
    return Results(replace(PLANTED, bigrams=found), {"tokens": tokens})


def test_shares_of_all_four_kinds_and_the_exact_test_are_told():
    assert bigrams_sentence(TRIED) == (
        "Of 40 improbable pairs 45 % are not copied as tokens and 12 % not character by character; of 38 "
        "pairs of complete tokens 40 % and 10 %. The difference of the differences is 2 points (one-sided "
        "p 0.42). That is no more than rare pairs of tokens cost it in any case."
    )
    clear = bigrams_sentence(replace(TRIED, difference=0.5, p=0.0004))
    assert clear.endswith(
        "is 50 points (one-sided p 0.0004). Characters that two tokens share cost this model something."
    )


def test_a_refusal_is_said_in_plain_words_and_claims_no_number():
    found = BigramsSummary(132, 0, controls=40, controls_fail_by_characters=0.6, refused="it cannot copy.")
    assert bigrams_sentence(found) == "Not tested: it cannot copy."
    section = bigrams(results(found))
    assert section is not None
    facts = next(block for block in section.blocks if isinstance(block, Facts))
    assert [name for name, _ in facts.items][-1] == "these character by character"
    assert section.blocks[0].tone == "warn"


def test_failed_pairs_are_shown_and_the_terminal_says_the_same_sentence():
    section = bigrams(results(TRIED))
    assert section is not None
    facts = next(block for block in section.blocks if isinstance(block, Facts))
    assert dict(facts.items)["fail as tokens and not by characters"].text == "a†除, <b>数"
    brief = kind_of("scan").brief(results(TRIED))
    assert {fact.label: fact.value for fact in brief.facts}["improbable pairs"] == bigrams_sentence(TRIED)


def test_nothing_is_said_where_it_was_not_asked_for():
    assert bigrams(results(None)) is None
    assert "improbable pairs" not in [fact.label for fact in kind_of("scan").brief(results(None)).facts]
