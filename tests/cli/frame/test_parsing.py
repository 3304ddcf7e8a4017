from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.cli.frame.parsing import default_folder, parse_ids, read_ids
from forensics.errors import BadInputError

IDS = st.lists(st.integers(0, 300_000), min_size=1, max_size=60)


def _spell(ids: list[int]) -> str:
    """Write ids with their rising runs as ranges: the inverse of `parse_ids`."""
    parts: list[str] = []
    at = 0
    while at < len(ids):
        end = at
        while end + 1 < len(ids) and ids[end + 1] == ids[end] + 1:
            end += 1
        parts.append(str(ids[at]) if end == at else f"{ids[at]}-{ids[end]}")
        at = end + 1
    return ",".join(parts)


@given(IDS)
def test_ids_written_as_ranges_are_read_back_once_each_in_order(ids: list[int]) -> None:
    assert parse_ids(_spell(ids), "--tokens") == list(dict.fromkeys(ids))


@given(st.text())
def test_any_text_gives_ids_or_one_line_of_error(text: str) -> None:
    try:
        ids = parse_ids(text, "--tokens")
    except BadInputError as error:
        assert "\n" not in str(error)
    else:
        assert ids
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("text", "ids"), [("177-179,50256", [177, 178, 179, 50256]), (" 3 - 5  1 ", [3, 4, 5, 1]), ("7", [7])]
)
def test_the_forms_of_the_interface(text: str, ids: list[int]) -> None:
    assert parse_ids(text, "--reference") == ids


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no id"), ("5-3", "write 3-5"), ("x", "'x'"), ("0-99999999999", "more than"), ("-1", "'-1'")],
)
def test_what_is_no_id_is_quoted_with_a_remedy(text: str, said: str) -> None:
    with pytest.raises(BadInputError, match=f"--tokens.*{said}"):
        parse_ids(text, "--tokens")


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ("1\n2-4 # a comment\n\n# all\n9,8\n", [1, 2, 3, 4, 9, 8]),
        ("[3, 1]", [3, 1]),
        ("\ufeff5\r\n6\r\n", [5, 6]),
    ],
)
def test_a_file_of_ids_is_read(tmp_path: Path, content: str, ids: list[int]) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(content, encoding="utf-8", newline="")
    assert read_ids(str(path), "--tokens") == ids


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, true]", "holds true"),
        (b"[1", "not valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"# none", "no id"),
    ],
)
def test_a_file_that_holds_no_ids_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=f"ids.txt.*{said}"):
        read_ids(str(path), "--tokens")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInputError, match=r"--tokens.*'absent\.txt'.*No such file"):
        read_ids("absent.txt", "--tokens")


@given(st.text(min_size=1))
def test_the_default_folder_is_always_one_folder_under_results(model: str) -> None:
    folder = default_folder(model.replace("\x00", ""))
    assert folder.parts[0] == "results"
    assert len(folder.parts) == 2
    assert folder.name not in ("", ".", "..")
