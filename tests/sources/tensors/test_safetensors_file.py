import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forensics.errors import BadInputError
from forensics.sources.tensors.safetensors_file import read_safetensors
from tests.extras import need
from tests.sources.written_checkpoints import matrix, raw_safetensors

FILE_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FILE_SETTINGS
@given(
    array=hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.float16, np.int8, np.uint8, np.int64]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    ),
    data=st.data(),
)
def test_rows_equal_what_the_reference_wrote(tmp_path, array, data):
    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"a": array, "b": np.ones((3, 3), np.float16)}, path)
    opened = read_safetensors(path)
    start = data.draw(st.integers(0, len(array)))
    stop = data.draw(st.integers(start, len(array)))
    with np.errstate(all="ignore"):
        expected = array.astype(np.float32)
    assert opened.tensors["a"].shape == array.shape
    np.testing.assert_array_equal(opened.rows("a", start, stop), expected[start:stop])
    ids = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=9))
    np.testing.assert_array_equal(opened.matrix("a").gather(ids), expected[ids])
    assert opened.stored_rows("a", start, stop).tobytes() == array[start:stop].tobytes()


def test_bf16_and_f8_rows_equal_torch(tmp_path):
    torch = need("torch")
    from safetensors.torch import save_file

    codes = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16).reshape(256, 256)
    bytes_ = torch.arange(256, dtype=torch.int32).to(torch.uint8).reshape(8, 32)
    tensors = {
        "BF16": codes,
        "F8_E4M3": bytes_.view(torch.float8_e4m3fn),
        "F8_E5M2": bytes_.view(torch.float8_e5m2).clone(),
        "F8_E8M0": bytes_.view(torch.float8_e8m0fnu).clone(),
    }
    save_file(tensors, tmp_path / "m.safetensors")
    opened = read_safetensors(tmp_path / "m.safetensors")
    for name, tensor in tensors.items():
        assert opened.tensors[name].dtype == name
        rows = opened.rows(name, 0, len(tensor))
        np.testing.assert_array_equal(rows, tensor.to(torch.float32).numpy(), err_msg=name)


@pytest.mark.parametrize("share", [True, False])
def test_shared_bytes_are_accepted_and_overlapping_ones_refused(tmp_path, share):
    shift = 0 if share else 4
    header = {
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "F32", "shape": [2, 2], "data_offsets": [shift, 16 + shift]},
    }
    path = tmp_path / "m.safetensors"
    path.write_bytes(raw_safetensors(header, bytes(24)))
    if share:
        opened = read_safetensors(path)
        assert opened.offset("a") == opened.offset("b")
    else:
        with pytest.raises(BadInputError, match="overlap"):
            read_safetensors(path)


ENTRY = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw_safetensors({"a": ENTRY}, bytes(15)), "should end at byte"),
        (raw_safetensors({"a": {**ENTRY, "shape": [2, 3]}}, bytes(16)), "needs 24 bytes"),
        (raw_safetensors({"a": {**ENTRY, "shape": [-2, -2]}}, bytes(16)), "impossible shape"),
        (raw_safetensors({"a": {**ENTRY, "shape": [2**62, 4]}}, bytes(16)), "needs"),
        (raw_safetensors({"a": {**ENTRY, "data_offsets": [16, 0]}}, bytes(16)), "impossible"),
        (raw_safetensors({"a": {"dtype": "F32"}}, bytes(16)), "lacks"),
        (raw_safetensors({"a": 7}, bytes(16)), "lacks"),
        (raw_safetensors(b'{"a":1,"a":2}'), "occurs twice"),
        (raw_safetensors(b"{" * 5000), "not valid JSON"),
        (raw_safetensors([1]), "not a JSON object"),
        (raw_safetensors({"__metadata__": 3}), "__metadata__"),
        ((2**63).to_bytes(8, "little") + b"{}", "claims a header"),
        (b"abc", "claims a header"),
        (b"", "empty"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=message) as caught:
        read_safetensors(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@FILE_SETTINGS
@given(cut=st.integers(0, 600), place=st.integers(0, 599), byte=st.integers(0, 255), truncate=st.booleans())
def test_one_damage_gives_data_or_bad_input(tmp_path, cut, place, byte, truncate):
    path = tmp_path / "m.safetensors"
    sound = safetensors.numpy.save({"a": matrix(0, 5, 6), "b": matrix(1, 4, 3, "float16")})
    damaged = bytearray(sound)
    if truncate:
        del damaged[cut % len(sound) :]
    else:
        damaged[place % len(sound)] = byte
    path.write_bytes(damaged)
    try:
        opened = read_safetensors(path)
        for name, info in opened.tensors.items():
            assert opened.rows(name, 0, 10**6).shape == info.shape
    except BadInputError as error:
        assert str(path) in str(error)


def test_gather_refuses_ids_outside(tmp_path):
    safetensors.numpy.save_file({"a": matrix(0)}, tmp_path / "m.safetensors")
    opened = read_safetensors(tmp_path / "m.safetensors").matrix("a")
    for ids in ([40], [-1]):
        with pytest.raises(IndexError):
            opened.gather(ids)
    assert opened.gather([]).shape == (0, 16)
    assert opened.rows(38, 99).shape == (2, 16)
