import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.vocabulary.scripts import script_of_text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (" the", "Latin"),
        ("ﬁ", "Latin"),
        ("Привет", "Cyrillic"),
        ("東京", "Han"),
        ("ひらがな", "Hiragana"),
        ("한국", "Hangul"),
        ("हिन्दी", "Devanagari"),
        ("العربية", "Arabic"),
        ("42 + 7!", "Common"),
        ("😀", "Common"),
        ("aя", "Mixed"),
        ("東の", "Mixed"),
        ("é1", "Latin"),
        ("e\u0301", "Latin"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_script_is_that_of_the_letters(text, script):
    assert script_of_text(text) == script


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_texts_together_are_mixed_only_if_their_scripts_differ(a, b):
    one, other, both = script_of_text(a), script_of_text(b), script_of_text(a + b)
    if one == other:
        assert both == one
    elif "Common" in (one, other):
        assert both == (one if other == "Common" else other)
    else:
        assert both == "Mixed"
