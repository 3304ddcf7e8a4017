from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.visible import code_points, is_right_to_left, plain, segments, shorten, token_text

INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


@given(st.text(st.characters()))
def test_nothing_shown_is_invisible_or_moves_its_neighbours(text: str) -> None:
    shown = "".join(part.shown for part in segments(text))
    assert not [c for c in shown if unicodedata.category(c) in INVISIBLE]
    assert not shown or not unicodedata.category(shown[0]).startswith("M")


@given(
    st.text(
        st.characters(categories=["L", "N", "P", "S"], exclude_characters="\\\u3164\u115f\u1160\uffa0\u2800")
    )
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert "".join(part.shown for part in segments(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" the", "␣the"),
        ("\n\t\r", r"\n\t\r"),
        ("\x00", r"\x00"),
        ("a\u200bb", r"a\u200bb"),
        ("\u202eRTL", r"\u202eRTL"),
        ("\U000e0041", r"\U000e0041"),
        ("\u0301", "◌\u0301"),
        ("\u3164", r"\u3164"),
        ("\u00a0", r"\xa0"),
        ("❤\ufe0f", r"❤\ufe0f"),
    ],
)
def test_each_kind_of_invisible_character_is_made_visible(text: str, shown: str) -> None:
    assert plain(token_text(1, text)) == shown


def test_right_to_left_text_is_isolated_in_plain_text() -> None:
    assert is_right_to_left("أهلا")
    assert plain(token_text(1, "أهلا")) == "\u2068أهلا\u2069"


def test_bytes_that_are_no_text_are_shown_in_hex() -> None:
    token = token_text(7, None, b"\xe2\x80")
    assert plain(token) == "<0xE2><0x80>"
    assert token.tooltip == "bytes E2 80"


def test_a_long_token_keeps_its_ends_and_says_its_length() -> None:
    shown = plain(token_text(1, "a" * 100 + "end"))
    assert shown.startswith("aaa")
    assert shown.endswith("aend")
    assert "103 characters" in shown


def test_a_row_without_a_token_shows_nothing() -> None:
    assert token_text(5, None).segments == ()


def test_code_points_and_shorten_are_cut_where_asked() -> None:
    assert code_points("A\u200b") == "U+0041 U+200B"
    assert code_points("abc", most=2) == "U+0061 U+0062 …"
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abc", 4) == "abc"
