from __future__ import annotations

from forensics.report.notebook import notebook_html
from forensics.report.results import Results
from tests.report.synthetic import build, vocabulary_of


def test_a_result_shows_headline_and_worst_tokens_escaped() -> None:
    tokens, summary, _ = build()
    html = notebook_html(Results(summary, {"tokens": tokens}))
    assert "tested tokens are under-trained" in html
    assert html.count("<tr>") == 11
    assert "<script>" not in html
    assert "\u202e" not in html


def test_a_vocabulary_has_no_table_of_worst_tokens() -> None:
    tokens, summary, _ = build()
    html = notebook_html(Results(vocabulary_of(summary), {"tokens": tokens[["token_id", "text"]]}))
    assert "<table>" not in html
    assert "can never be produced from text" in html
