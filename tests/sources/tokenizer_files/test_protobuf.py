import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sources.tokenizer_files.protobuf import WireError, fields


def test_the_example_of_the_specification():
    """https://protobuf.dev/programming-guides/encoding: field 1 = 150, field 2 = "testing"."""
    assert list(fields(bytes.fromhex("089601"))) == [(1, 150)]
    assert list(fields(bytes.fromhex("120774657374696e67"))) == [(2, b"testing")]


def test_floats_of_both_sizes():
    assert list(fields(bytes.fromhex("150000803f"))) == [(2, 1.0)]
    assert list(fields(bytes.fromhex("11000000000000f03f"))) == [(2, 1.0)]


@pytest.mark.parametrize("data", ["08", "08ff", "1205aa", "15000000", "0f", "00", "08" + "ff" * 11])
def test_what_is_no_message_is_refused(data):
    with pytest.raises(WireError):
        list(fields(bytes.fromhex(data)))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        assert all(number > 0 for number, _ in fields(data))
    except WireError as error:
        assert str(error)
