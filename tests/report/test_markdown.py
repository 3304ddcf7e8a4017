from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.blocks import (
    Badge,
    Code,
    Document,
    Facts,
    FigureBlock,
    Listing,
    Number,
    Paragraph,
    Row,
    Section,
    Table,
    Tokens,
)
from forensics.report.markdown import escape, to_markdown
from forensics.report.visible import token_text

DOCUMENT = Document(
    title="tiny_model: under-trained tokens",
    subtitle="4 × 2 F32",
    headline="1 of 2 tested tokens is under-trained <0.01>.",
    tiles=(),
    made_by="forensics 0.1.0",
    sections=(
        Section(
            "verified",
            "Verified tokens",
            (
                Paragraph("A plain * sentence."),
                Paragraph("A warning.", "warn"),
                Listing(("one", "two")),
                Facts((("tested", Number(1200)), ("share", Number(0.25, 3, percent=True)), ("none", None))),
                FigureBlock("histogram", "Drawn."),
                FigureBlock("absent", "Not drawn."),
                Table(
                    "verified-tokens",
                    "Tokens.",
                    ("id", "token", "max_prob", "verdict", "bytes"),
                    (
                        Row(
                            (
                                Number(3),
                                Tokens((token_text(3, " a|b"),)),
                                Number(0.000123456, 3, at_most=True),
                                Badge("verified strong", "bad"),
                                Code("61"),
                            ),
                            (("explain", (("text", "`x` \u202e\n"),)),),
                        ),
                        Row((Number(4), Tokens(()), Number(0.5, 3, at_least=True), None, Code("``"))),
                    ),
                    7,
                ),
                Table("empty", "Nothing.", ("id",), (), 0),
            ),
        ),
    ),
)

GOLDEN = r"""# tiny_model: under-trained tokens

4 × 2 F32

> **1 of 2 tested tokens is under-trained &lt;0.01&gt;.**

## Verified tokens

A plain \* sentence.

**A warning.**

- one
- two

- tested: 1,200
- share: 25 %
- none: –

![histogram](plots/histogram.png)

Drawn.

Tokens.

| id | token | max_prob | verdict | bytes |
| ---: | --- | ---: | --- | --- |
| 3 | `␣a\|b` | ≤ 0.000123 | verified strong | `61` |
| 4 | – | ≥ 0.5 | – | ``` `` ``` |

The first 2 of 7; all of them are in `tokens.parquet`.

Evidence of the first rows:

- 3 `␣a\|b`
  - explain: text `` `x` \u202e\n ``

Nothing.

None.

---

Made by forensics 0.1.0.
"""


def test_the_whole_text_is_as_written_here() -> None:
    assert to_markdown(DOCUMENT, {"histogram"}) == GOLDEN


@given(st.text())
def test_escaped_text_is_one_line_without_markup(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*|\[\]]", escaped)
    assert "<" not in escaped


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_a_token_never_breaks_out_of_its_cell(text: str) -> None:
    table = Table("t", "c", ("token",), (Row((Tokens((token_text(0, text),)),)),), 1)
    document = Document("t", "", "h", (), (Section("s", "S", (table,)),), "m")
    row = to_markdown(document, ()).split("\n| --- |")[0].splitlines()
    line = next(
        each for each in to_markdown(document, ()).splitlines() if each.startswith("| ") and "`" in each
    )
    assert len(row) >= 1
    assert len(re.findall(r"(?<!\\)\|", line)) == 2


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (Number(None), "–"),
        (Number(1234567), "1,234,567"),
        (Number(12345.678), "12,346"),
        (Number(0.5), "0.5"),
        (Number(1.5e-7, 3), "1.5e-07"),
        (Number(0.000042, 3, percent=True), "0.0042 %"),
        (Number(float("nan")), "nan"),
    ],
)
def test_numbers_are_shown_with_the_digits_a_reader_can_use(number: Number, shown: str) -> None:
    assert number.shown == shown
