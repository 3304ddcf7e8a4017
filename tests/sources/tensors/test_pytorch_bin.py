import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources.tensors.pytorch_bin import read_pytorch_bin
from tests.extras import need

torch = need("torch")

FILE_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def save(path, value, **options):
    torch.save(value, path, **options)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_equal_torchs(tmp_path, dtype, zipped):
    tensor = (torch.randn(11, 7, generator=torch.Generator().manual_seed(0)) * 9).to(getattr(torch, dtype))
    state = {"first": torch.ones(3), "a": tensor, "same": tensor, "part": tensor[4:]}
    path = save(tmp_path / "m.bin", state, _use_new_zipfile_serialization=zipped)
    opened = read_pytorch_bin(path)
    assert {n: i.shape for n, i in opened.tensors.items()} == {n: tuple(t.shape) for n, t in state.items()}
    expected = tensor.to(torch.float32).numpy()
    np.testing.assert_array_equal(opened.rows("a", 0, 11), expected)
    np.testing.assert_array_equal(opened.rows("part", 2, 5), expected[6:9])
    assert opened.offset("a") == opened.offset("same")


def test_a_module_with_parameters_and_a_training_checkpoint(tmp_path):
    layer = torch.nn.Linear(4, 3)
    path = save(tmp_path / "m.pt", {"epoch": 3, "state_dict": layer.state_dict()})
    opened = read_pytorch_bin(path)
    np.testing.assert_array_equal(opened.rows("weight", 0, 3), layer.weight.detach().numpy())
    parameters = save(tmp_path / "p.pt", {"w": layer.weight})
    assert read_pytorch_bin(parameters).tensors["w"].shape == (3, 4)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "view",
    [
        lambda t: t.T,
        lambda t: t[:, 2:9],
        lambda t: t[1:20:3],
        lambda t: t.T[3:7, ::2],
        lambda t: t[:1].expand(5, 12),
    ],
    ids=["transposed", "columns", "every third row", "of both", "one row repeated"],
)
def test_views_are_read_as_the_matrices_they_are(tmp_path, view, legacy):
    tensor = view(torch.arange(24 * 12, dtype=torch.float32).reshape(24, 12))
    path = tmp_path / "m.bin"
    torch.save({"t": tensor, "after": torch.ones(3)}, path, _use_new_zipfile_serialization=not legacy)
    matrix, expected = read_pytorch_bin(path).matrix("t"), tensor.numpy()
    rows = len(expected)
    assert np.array_equal(matrix.rows(0, rows), expected)
    assert np.array_equal(matrix.gather([rows - 1, 0]), expected[[rows - 1, 0]])
    assert matrix.stored_rows(1, 3).tobytes() == expected[1:3].tobytes()


def test_numpy_scalars_beside_the_weights_are_ignored(tmp_path):
    state = {"model": {"t": torch.ones(4, 5)}, "lr": np.float64(0.1), "step": np.int64(5)}
    assert list(read_pytorch_bin(save(tmp_path / "m.bin", state)).tensors) == ["t"]


class MakesAFile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def hostile_files(tmp_path, target):
    """The same attack in both containers, as a bare pickle, and hidden behind a state dict."""
    payload = MakesAFile(target)
    yield save(tmp_path / "zip.bin", {"w": payload})
    yield save(tmp_path / "legacy.bin", {"w": payload}, _use_new_zipfile_serialization=False)
    yield save(tmp_path / "new_protocol.bin", {"w": torch.ones(2, 2), "x": payload}, pickle_protocol=4)
    bare = tmp_path / "bare.bin"
    bare.write_bytes(pickle.dumps(payload))
    yield bare


def test_a_hostile_pickle_is_refused_and_nothing_is_run(tmp_path):
    target = tmp_path / "made"
    for path in hostile_files(tmp_path, target):
        with pytest.raises(BadInputError) as caught:
            read_pytorch_bin(path)
        assert not target.exists(), path.name
        assert "\n" not in str(caught.value)
        if path.name in ("zip.bin", "legacy.bin", "new_protocol.bin"):
            assert "mkdir" in str(caught.value)
            assert "nothing of it was run" in str(caught.value)


def zip_with(path, program):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", program)
    return path


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cbuiltins\neval\n(X\x01\x00\x00\x001tR.",
        b"\x80\x02cos\nsystem\n.",
        b"\x80\x02\x82\x01.",  # extension registry
        b"(S'x'\nios\nsystem\n.",  # INST
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",  # STACK_GLOBAL
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a memo of 2 billion entries
        b"\x80\x02cctorch\nFloatStorage\n.",
        # BUILD on a stand-in: must not change what the next file meets
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x05\x00\x00\x00buildNsb.",
        b"\x80\x02ccollections\nOrderedDict\n)R.",
        b"\x80\x02" + b"(" * 100 + b".",
        b"",
    ],
)
def test_programs_beyond_a_state_dict_are_bad_input(tmp_path, program):
    path = zip_with(tmp_path / "m.bin", program)
    with pytest.raises(BadInputError) as caught:
        read_pytorch_bin(path)
    assert "\n" not in str(caught.value)
    sound = save(tmp_path / "sound.bin", {"w": torch.ones(2, 2)})
    assert read_pytorch_bin(sound).rows("w", 0, 2).sum() == 4


def test_a_memo_that_would_fill_the_memory_is_refused_before_it_is_made(tmp_path):
    path = zip_with(tmp_path / "m.bin", b"\x80\x02Nr\xff\xff\xff\x03.")
    with pytest.raises(BadInputError, match="memo entry 67108863"):
        read_pytorch_bin(path)


@FILE_SETTINGS
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), truncate=st.booleans(), zipped=st.booleans())
def test_one_damage_gives_data_or_bad_input(tmp_path, place, byte, truncate, zipped):
    buffer = io.BytesIO()
    torch.save(
        {"a": torch.ones(5, 4), "b": torch.ones(2, 2).half()}, buffer, _use_new_zipfile_serialization=zipped
    )
    damaged = bytearray(buffer.getvalue())
    if truncate:
        del damaged[place % len(damaged) :]
    else:
        damaged[place % len(damaged)] = byte
    path = tmp_path / "m.bin"
    path.write_bytes(damaged)
    try:
        opened = read_pytorch_bin(path)
        for name, info in opened.tensors.items():
            if len(info.shape) == 2:
                assert opened.rows(name, 0, 10**6).shape == info.shape
    except BadInputError as error:
        assert str(path) in str(error)
