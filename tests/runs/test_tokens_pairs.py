"""`tokens` counts the pairs of tokens that share one character."""

from __future__ import annotations

from pathlib import Path

from forensics.runs.tokens import tokens
from tests.planted_model import train_tokenizer


def made(folder: Path) -> Path:
    """Return a tokenizer that has learned `x` and two bytes of a character, and its last byte and `y`."""
    characters = [chr(code) for code in range(0x4E00, 0x4E40)]  # they share their first two bytes
    file = folder / "tokenizer.json"
    train_tokenizer([" ".join(f"x{c}y z{c}y" for c in characters) * 3], 330).save(str(file))
    return file


def test_pairs_that_share_a_character_are_counted_by_trying_all_of_them(tmp_path):
    file = made(tmp_path)
    found = tokens(file).summary["improbable_pairs"]
    table = tokens(file).tokens.set_index("token_id")
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(str(file))
    parts = [(i, b) for i, b in table.bytes.items() if b is not None and len(b) >= 2 and not _is_text(b)]
    back = 0
    for a, left in parts:
        for b, right in parts:
            whole = left + right
            # Only the character in the middle is unfinished: what is before and after it is text.
            if _is_text(whole) and _starts_whole(left) and _ends_whole(right):
                back += encoder.encode(whole.decode(), add_special_tokens=False).ids == [a, b]
    assert found["exact"]
    assert back > 20
    assert found["survived"] == found["estimate"] == back
    assert found["compatible"] >= back


def test_the_report_tells_the_count_and_what_it_does_not_say(tmp_path):
    result = tokens(made(tmp_path), out=tmp_path / "out")
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "Improbable pairs" in report
    assert f"{result.summary['improbable_pairs']['estimate']:,}" in report


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _starts_whole(data: bytes) -> bool:
    return any(_is_text(data[:-n]) for n in (1, 2, 3) if len(data) >= n)


def _ends_whole(data: bytes) -> bool:
    return any(_is_text(data[n:]) for n in (1, 2, 3) if len(data) >= n)
