import struct

import gguf
import numpy as np
import pytest
from gguf import quants
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources.gguf.file import read_gguf

FILE_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
#: Types the gguf package can turn into float32.
READABLE = sorted(quants._type_traits)
TOKENS = ["<unk>", "a", "é", "\U0001f600", " x"]


def write(path, tensors=(), alignment=None, **metadata):
    """Write with the reference writer; `tensors` are (name, array, raw type or None)."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    for key, value in metadata.items():
        name = key.replace("__", ".")
        if isinstance(value, bool):
            writer.add_bool(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, int):
            writer.add_int64(name, value)
        elif isinstance(value, float):
            writer.add_float64(name, value)
        else:
            writer.add_array(name, value)
    for name, array, raw in tensors:
        writer.add_tensor(name, array, raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def with_reference(path):
    """Metadata and tensors as the reference reader sees them."""
    reader = gguf.GGUFReader(path)
    metadata = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    tensors = {
        t.name: (tuple(int(n) for n in t.shape[::-1]), t.tensor_type.name, t.data_offset)
        for t in reader.tensors
    }
    return metadata, tensors


text = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.one_of(
    text,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(text, min_size=1, max_size=5),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=1, max_size=4),
)


@FILE_SETTINGS
@given(
    metadata=st.dictionaries(st.sampled_from(["a", "b__c", "tokenizer__ggml__tokens"]), values),
    shapes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=4),
    alignment=st.sampled_from([None, 8, 64]),
)
def test_agrees_with_the_reference_reader(tmp_path, metadata, shapes, alignment):
    arrays = [np.random.default_rng(i).standard_normal(s).astype(np.float32) for i, s in enumerate(shapes)]
    path = write(
        tmp_path / "m.gguf", [(f"t{i}", a, None) for i, a in enumerate(arrays)], alignment, **metadata
    )
    expected_metadata, expected_tensors = with_reference(path)
    opened = read_gguf(path)
    assert list(opened.metadata) == list(expected_metadata)
    for key, expected in expected_metadata.items():
        value = opened.metadata[key]
        assert (value.tolist() if isinstance(value, np.ndarray) else value) == expected
    found = {n: (i.shape, i.dtype, opened.offset(n)) for n, i in opened.tensors.items()}
    assert found == expected_tensors
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(opened.rows(f"t{i}", 0, 5), array)


@pytest.mark.parametrize("kind", READABLE, ids=lambda kind: kind.name)
def test_block_types_equal_the_reference_row_by_row(tmp_path, kind):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    stored = np.random.default_rng(int(kind)).integers(0, 256, (7, 2 * size), dtype=np.uint8)
    path = write(tmp_path / "m.gguf", [("token_embd.weight", stored, kind)])
    opened = read_gguf(path)
    assert opened.tensors["token_embd.weight"].shape == (7, 2 * block)
    assert opened.tensors["token_embd.weight"].dtype == kind.name
    with np.errstate(all="ignore"):
        expected = quants.dequantize(stored, kind)
    np.testing.assert_array_equal(opened.rows("token_embd.weight", 0, 7), expected)
    np.testing.assert_array_equal(opened.rows("token_embd.weight", 3, 5), expected[3:5])
    np.testing.assert_array_equal(opened.matrix("token_embd.weight").gather([6, 0]), expected[[6, 0]])
    np.testing.assert_array_equal(opened.stored_rows("token_embd.weight", 2, 4), stored[2:4])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "int16", "int32", "int64"])
def test_plain_types(tmp_path, dtype):
    array = (np.random.default_rng(0).standard_normal((6, 8)) * 50).astype(dtype)
    opened = read_gguf(write(tmp_path / "m.gguf", [("t", array, None)]))
    np.testing.assert_array_equal(opened.rows("t", 0, 6), array.astype(np.float32))


def test_a_type_that_cannot_be_dequantised_is_named_only_when_asked_for(tmp_path):
    stored = np.zeros((2, 40), dtype=np.uint8)
    path = write(
        tmp_path / "m.gguf",
        [("a", stored, gguf.GGMLQuantizationType.Q8_1), ("b", np.ones((2, 2), "f4"), None)],
    )
    opened = read_gguf(path)
    assert opened.rows("b", 0, 2).sum() == 4
    with pytest.raises(BadInputError, match="Q8_1"):
        opened.matrix("a")


def test_tokenizer_arrays(tmp_path):
    path = write(
        tmp_path / "m.gguf",
        tokenizer__ggml__tokens=TOKENS,
        tokenizer__ggml__scores=[0.0, -1.5, -2.0, -3.0, -4.0],
        tokenizer__ggml__token_type=[2, 1, 1, 1, 1],
    )
    metadata = read_gguf(path).metadata
    assert metadata["tokenizer.ggml.tokens"] == TOKENS
    np.testing.assert_array_equal(metadata["tokenizer.ggml.scores"], np.float32([0, -1.5, -2, -3, -4]))
    np.testing.assert_array_equal(metadata["tokenizer.ggml.token_type"], [2, 1, 1, 1, 1])


def header(version=3, tensors=0, keys=0, rest=b"", magic=b"GGUF", order="<"):
    return magic + struct.pack(order + "IQQ", version, tensors, keys) + rest


def entry(key, kind, payload):
    return struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + payload


def tensor(name=b"t", shape=(2, 2), kind=0, offset=0):
    return (
        struct.pack("<Q", len(name))
        + name
        + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (header(magic=b"GGML"), "begins with"),
        (header(version=1), "version 1"),
        (header(version=9), "version 9"),
        (header(version=3, order=">"), "big-endian"),
        (header(tensors=2**60), "ends within"),
        (header(keys=2**63), "ends within"),
        (header(keys=1, rest=struct.pack("<Q", 2**63)), "ends within"),
        (header(keys=1, rest=entry(b"k", 99, b"")), "unknown type 99"),
        (header(keys=1, rest=entry(b"\xff", 4, bytes(4))), "not UTF-8"),
        (header(keys=1, rest=entry(b"k", 9, struct.pack("<IQ", 8, 2**60))), "ends within"),
        (header(keys=1, rest=entry(b"k", 9, struct.pack("<IQ", 6, 2**61))), "ends within"),
        (header(keys=1, rest=entry(b"k", 9, struct.pack("<IQIQ", 9, 1, 9, 2**40))), "ends within"),
        (
            header(keys=1, rest=entry(b"tokenizer.t", 9, struct.pack("<IQQ", 8, 1, 1) + b"\xff")),
            "not UTF-8",
        ),
        (header(keys=2, rest=2 * entry(b"k", 4, bytes(4))), "occurs twice"),
        (header(keys=1, rest=entry(b"general.alignment", 4, struct.pack("<I", 3))), "alignment"),
        (header(keys=1, rest=entry(b"general.alignment", 8, struct.pack("<Q", 1) + b"x")), "alignment"),
        (header(tensors=1, rest=tensor()), "should end at byte"),
        (header(tensors=1, rest=tensor(shape=(2**62, 2**62))), "should end at byte"),
        (header(tensors=1, rest=tensor(shape=(1,) * 9)), "9 dimensions"),
        (header(tensors=1, rest=tensor(shape=(31, 2), kind=8)), "multiple of 32"),
        (header(tensors=1, rest=tensor(offset=3) + bytes(99)), "not aligned"),
        (header(tensors=2, rest=2 * tensor() + bytes(99)), "occurs twice"),
        (header(tensors=2, rest=tensor(shape=(16, 2)) + tensor(b"u", offset=32) + bytes(299)), "overlap"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=message) as caught:
        read_gguf(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_text_for_people_may_be_in_another_encoding(tmp_path):
    path = tmp_path / "m.gguf"
    author = entry(b"general.author", 8, struct.pack("<Q", 5) + "André".encode("latin-1"))
    tags = entry(b"general.tags", 9, struct.pack("<IQQ", 8, 1, 2) + b"\xe9x")
    path.write_bytes(header(keys=2, rest=author + tags))
    assert read_gguf(path).metadata == {"general.author": "Andr\ufffd", "general.tags": ["\ufffdx"]}


def test_a_type_newer_than_the_package_spoils_only_its_own_tensor(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(
        header(tensors=2, rest=tensor(b"new", kind=9999) + tensor(b"old", offset=32) + bytes(128))
    )
    opened = read_gguf(path)
    assert opened.rows("old", 0, 2).shape == (2, 2)
    with pytest.raises(BadInputError, match="9999"):
        opened.matrix("new")


@FILE_SETTINGS
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), truncate=st.booleans())
def test_one_damage_gives_data_or_bad_input(tmp_path, place, byte, truncate):
    path = write(
        tmp_path / "m.gguf",
        [
            ("a", np.ones((4, 8), "f4"), None),
            ("b", np.zeros((3, 68), np.uint8), gguf.GGMLQuantizationType.Q8_0),
        ],
        tokenizer__ggml__tokens=TOKENS,
        tokenizer__ggml__token_type=[1, 2, 3],
        flag=True,
    )
    damaged = bytearray(path.read_bytes())
    if truncate:
        del damaged[place % len(damaged) :]
    else:
        damaged[place % len(damaged)] = byte
    path.write_bytes(damaged)
    try:
        opened = read_gguf(path)
        for name, info in opened.tensors.items():
            if len(info.shape) == 2:
                assert opened.rows(name, 0, 10**6).shape == info.shape
    except BadInputError as error:
        assert str(path) in str(error)
