"""Errors as a user and as another process meets them."""

from __future__ import annotations

import pickle

import pytest

from forensics.errors import BadInputError, ForensicsError, MissingExtraError, OutputError


@pytest.mark.parametrize(
    "error",
    [
        BadInputError("a/file.txt", "not UTF-8\n(byte 0xfc)", "convert it"),
        MissingExtraError("numba", "mixture", "counting"),
        OutputError("the disk is full"),
    ],
)
def test_an_error_survives_the_way_from_a_worker_process(error: ForensicsError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert {key: value for key, value in vars(back).items() if key[0] != "_"} == {
        key: value for key, value in vars(error).items() if key[0] != "_"
    }


def test_bad_input_is_one_line_that_names_place_finding_and_remedy() -> None:
    error = BadInputError("a/file.txt", "not UTF-8\n(byte 0xfc)", "convert it")
    assert str(error) == "a/file.txt: not UTF-8 (byte 0xfc); convert it"


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    error = MissingExtraError("numba", "mixture", "counting")
    assert (
        str(error) == "counting needs the package 'numba'; install it with: pip install 'forensics[mixture]'"
    )
