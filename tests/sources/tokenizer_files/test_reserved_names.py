import pytest

from forensics.sources.tokenizer_files.reserved_names import declared_by_name, reserved_word


@pytest.mark.parametrize(
    ("piece", "word"),
    [
        ("<unused12>", "unused"),
        ("[unused3]", "unused"),
        ("<|reserved_special_token_5|>", "reserved"),
        ("<reserved_7>", "reserved"),
        ("<|reserved_200013|>", "reserved"),
        ("<SPECIAL_20>", "reserved"),
        ("[control_8]", "reserved"),
        ("<extra_id_3>", "extra id"),
        ("<|extra_12|>", "extra"),
        ("<pad_3>", "padding"),
        ("[PAD151670]", "padding"),
        ("<|placeholder6|>", "placeholder"),
        ("<|dummy_85|>", "dummy"),
        ("madeupword0001", "made-up word"),
    ],
)
def test_names_that_makers_use_are_recognised(piece, word):
    assert reserved_word(piece) == word


@pytest.mark.parametrize(
    "piece",
    [
        "<0x0A>",
        "<pad>",
        "[PAD]",
        "unused",
        "▁unused",
        "<s>",
        "<|im_start|>",
        "[MASK]",
        "reserved_7",
        "pad_3",
        "",
    ],
)
def test_bytes_words_and_used_special_tokens_are_not(piece):
    assert reserved_word(piece) is None


def test_ids_are_positions_and_gaps_are_skipped():
    assert declared_by_name(["a", None, "<unused0>"]) == {2: "unused"}
