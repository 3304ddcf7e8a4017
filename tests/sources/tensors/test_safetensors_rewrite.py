from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources.tensors.number_formats import NUMBER_FORMATS
from forensics.sources.tensors.safetensors_rewrite import RowChange, as_stored, write_changed_safetensors
from tests.extras import need

IDS = np.array([1, 3])
ROWS = np.array([[0.5, 1.5], [2.5, -3.0]], dtype=np.float32)


def stored(rng=None) -> dict[str, np.ndarray]:
    rng = rng or np.random.default_rng(0)
    return {
        "a": rng.normal(size=(4, 2)).astype(np.float32),
        "b": rng.normal(size=(4,)).astype(np.float16),
        "c": rng.integers(0, 9, size=(3, 3)),
    }


def test_rows_are_replaced_and_every_other_byte_stays(tmp_path):
    safetensors.numpy.save_file(stored(), tmp_path / "one", metadata={"format": "pt"})
    write_changed_safetensors(tmp_path / "one", tmp_path / "two", {"a": RowChange(IDS, ROWS, 4)})
    before, after = (safetensors.numpy.load_file(tmp_path / name) for name in ("one", "two"))
    assert np.array_equal(after["a"][IDS], ROWS)
    assert np.array_equal(np.delete(after["a"], IDS, 0), np.delete(before["a"], IDS, 0))
    raw = [np.frombuffer((tmp_path / name).read_bytes(), np.uint8) for name in ("one", "two")]
    assert len(raw[0]) == len(raw[1]) and (raw[0] != raw[1]).sum() <= ROWS.nbytes
    assert np.array_equal(before["c"], after["c"])


@pytest.mark.parametrize("total", [2, 4, 7])
def test_a_matrix_and_its_bias_are_cut_or_grow(tmp_path, total):
    ids = np.array([1, *range(4, total)])
    rows = np.arange(2 * len(ids), dtype=np.float32).reshape(-1, 2)
    safetensors.numpy.save_file(stored(), tmp_path / "one", metadata={"format": "pt"})
    changes = {"a": RowChange(ids, rows, total), "b": RowChange(ids, rows[:, :1], total)}
    write_changed_safetensors(tmp_path / "one", tmp_path / "two", changes)
    before, after = (safetensors.numpy.load_file(tmp_path / name) for name in ("one", "two"))
    assert after["a"].shape == (total, 2) and after["b"].shape == (total,)
    assert after["b"].dtype == np.float16 and np.array_equal(after["c"], before["c"])
    assert np.array_equal(after["a"][ids], rows) and np.array_equal(after["b"][ids], rows[:, 0])
    assert np.array_equal(after["a"][[0]], before["a"][[0]])
    with safetensors.safe_open(tmp_path / "two", "np") as file:
        assert file.metadata() == {"format": "pt"}


def test_integers_are_refused(tmp_path):
    safetensors.numpy.save_file(stored(), tmp_path / "one")
    with pytest.raises(BadInputError, match="only with their scales"):
        write_changed_safetensors(tmp_path / "one", tmp_path / "two", {"c": RowChange(IDS, ROWS, 3)})
    with pytest.raises(BadInputError, match="holds no tensor"):
        write_changed_safetensors(tmp_path / "one", tmp_path / "two", {"z": RowChange(IDS, ROWS, 3)})


@settings(max_examples=50)
@given(st.lists(st.floats(width=32), min_size=1, max_size=8))
def test_bfloat16_is_rounded_as_torch_rounds(values):
    torch = need("torch")
    array = np.array([values], dtype=np.float32)
    wanted = torch.from_numpy(array).to(torch.bfloat16).float().numpy()
    found = as_stored(array, "BF16")
    assert np.array_equal(found, wanted, equal_nan=True)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
def test_what_a_format_can_hold_comes_back(dtype):
    assert np.array_equal(as_stored(ROWS, dtype), ROWS)
    assert NUMBER_FORMATS["F8_E4M3"].encode is None
