from __future__ import annotations

import errno
import json
import math
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import BadInputError, OutputError
from forensics.files import dump_json, read_json, write_atomically, write_json, write_text

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES)
def test_json_read_back_is_what_was_written(value: object) -> None:
    assert json.loads(dump_json(value)) == value


def test_json_keeps_insertion_order_and_puts_ids_on_one_line() -> None:
    text = dump_json({"b": [1, 2, None], "a": np.float32(0.5), "c": [], "d": ["[", 1]})
    assert text == '{\n  "b": [1, 2, null],\n  "a": 0.5,\n  "c": [],\n  "d": [\n    "[",\n    1\n  ]\n}\n'


def test_json_of_numbers_that_json_does_not_have_is_null() -> None:
    value = {"nan": math.nan, "inf": np.array([np.inf, 1.0]), "set": {3, 1}, "path": Path("a/b")}
    assert json.loads(dump_json(value)) == {"nan": None, "inf": [None, 1.0], "set": [1, 3], "path": "a/b"}


def test_json_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        dump_json({"x": object()})


def test_json_with_a_lone_surrogate_stays_valid(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"piece": "\ud800"})
    assert read_json(path) == {"piece": "\ud800"}


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_text(tmp_path / "report.md", "old")

    def fill_the_disk(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"report\.md.*No space left on device.*`out`") as caught:
        write_atomically(path, fill_the_disk)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.md"]


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(file: IO[bytes]) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "report.md", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(OutputError, match="results"):
        write_text(tmp_path / "results" / "report.md", "x")


@pytest.mark.parametrize(("content", "found"), [("{", "not valid JSON"), ("[1]", "list")])
def test_json_that_is_no_object_is_named(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "summary.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match=f"summary.json.*{found}"):
        read_json(path)


def test_a_file_that_is_missing_a_folder_or_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    for name, found in (
        ("none.json", "no such file"),
        (".", "a folder"),
        ("latin.json", "byte 7 is not valid"),
    ):
        with pytest.raises(BadInputError, match=found):
            read_json(tmp_path / name)
