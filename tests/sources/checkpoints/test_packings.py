"""Packed heads: packed here by the definition, read back, and compared with the unpacked matrix."""

import json

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.sources.checkpoints.packings import UNREAD_SIGNS
from forensics.sources.tensors.packed_matrix import E2M1

V, D = 40, 64
RNG = np.random.default_rng(0)
HEAD = RNG.standard_normal((V, D)).astype(np.float32)
CODES = RNG.integers(0, 16, (V, D)).astype(np.uint8)
LOW_FIRST = CODES[:, ::2] | CODES[:, 1::2] << 4
HIGH_FIRST = CODES[:, ::2] << 4 | CODES[:, 1::2]
#: Values of E4M3 that float32 and the format share, and their codes.
FP8_CODES = RNG.integers(1, 0x7E, (V, D // 16)).astype(np.uint8)
FP8 = np.where(FP8_CODES >> 3, (1 + (FP8_CODES & 7) / 8) * 2.0 ** ((FP8_CODES >> 3) - 7.0),
               (FP8_CODES & 7) / 8 * 2.0**-6)  # fmt: skip
EXPONENTS = RNG.integers(120, 130, (V, D // 32)).astype(np.uint8)
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": V, "hidden_size": D}
DTYPES = {"float32": "F32", "float16": "F16", "uint8": "U8", "int8": "I8", "int32": "I32", "uint32": "U32",
          "int64": "I64", "int16": "I16"}  # fmt: skip


def write(folder, head, metadata=None, dtypes=None, **config):
    """Write a model whose head is `head` (name below `lm_head.` -> array)."""
    tensors = {"model.embed_tokens.weight": RNG.standard_normal((V, D)).astype(np.float32)}
    tensors |= {f"lm_head.{name}": array for name, array in head.items()}
    header, data = {"__metadata__": metadata or {}}, b""
    for name, array in tensors.items():
        dtype = (dtypes or {}).get(name.removeprefix("lm_head."), DTYPES[str(array.dtype)])
        header[name] = {"dtype": dtype, "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}  # fmt: skip
        data += np.ascontiguousarray(array).tobytes()
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    return folder


def check(folder, expected, dtype, tolerance=1e-6):
    """The head's rows, however they are asked for, are those of `expected`."""
    checkpoint = open_checkpoint(folder)
    head = checkpoint.unembedding
    assert checkpoint.tying == "untied"
    assert head.shape == expected.shape
    assert head.dtype == dtype
    scale = np.abs(expected).max()
    np.testing.assert_allclose(head.rows(0, V), expected, atol=tolerance * scale)
    ids = [31, 0, 39, 31]
    assert np.array_equal(head.gather(ids), head.rows(0, V)[ids])
    assert np.array_equal(head.rows(5, 9), head.rows(0, V)[5:9])
    assert len(head.stored_rows(3, 8)) == 5


def test_nvfp4_of_compressed_tensors(tmp_path):
    head = {"weight_packed": LOW_FIRST, "weight_scale": FP8_CODES,
            "weight_global_scale": np.array([37.5], dtype=np.float32)}  # fmt: skip
    expected = E2M1[CODES] * np.repeat(FP8, 16, axis=1) / 37.5
    check(write(tmp_path, head, dtypes={"weight_scale": "F8_E4M3"}), expected, "NVFP4")


def test_nvfp4_of_modelopt(tmp_path):
    head = {"weight": LOW_FIRST, "weight_scale": FP8_CODES, "input_scale": np.ones(1, dtype=np.float32),
            "weight_scale_2": np.array([0.02], dtype=np.float32)}  # fmt: skip
    expected = E2M1[CODES] * np.repeat(FP8, 16, axis=1) * 0.02
    check(write(tmp_path, head, dtypes={"weight_scale": "F8_E4M3"}), expected, "NVFP4")


@pytest.mark.parametrize("names", [("weight_packed", "weight_scale"), ("weight_blocks", "weight_scales")])
def test_mxfp4(tmp_path, names):
    blocks = LOW_FIRST.reshape(V, D // 32, 16) if names[0] == "weight_blocks" else LOW_FIRST
    expected = E2M1[CODES] * np.repeat(2.0 ** (EXPONENTS.astype(int) - 127.0), 32, axis=1)
    check(write(tmp_path, dict(zip(names, (blocks, EXPONENTS), strict=True))), expected, "MXFP4")


@pytest.mark.parametrize("block", [32, 48])
@pytest.mark.parametrize("nested", [False, True], ids=["plain factors", "factors quantised again"])
def test_bitsandbytes_nf4(tmp_path, block, nested):
    table = np.sort(RNG.standard_normal(16)).astype(np.float32)
    blocks = -(-V * D // block)
    state = {"quant_type": "nf4", "blocksize": block, "shape": [V, D], "dtype": "bfloat16"}
    head = {"weight": HIGH_FIRST.reshape(-1, 1), "weight.quant_map": table}
    if nested:
        codes = RNG.integers(0, 256, blocks).astype(np.uint8)
        again = RNG.random(256).astype(np.float32)
        largest = RNG.random(-(-blocks // 16)).astype(np.float32)
        absmax = again[codes] * np.repeat(largest, 16)[:blocks] + 0.25
        head |= {"weight.absmax": codes, "weight.nested_absmax": largest, "weight.nested_quant_map": again}
        state |= {"nested_blocksize": 16, "nested_offset": 0.25, "nested_dtype": "float32"}
    else:
        absmax = RNG.random(blocks).astype(np.float32)
        head["weight.absmax"] = absmax
    text = json.dumps(state).encode()
    head["weight.quant_state.bitsandbytes__nf4"] = np.frombuffer(text, dtype=np.uint8)
    expected = table[CODES] * np.repeat(absmax, block)[: V * D].reshape(V, D)
    check(write(tmp_path, head), expected, "NF4")


def test_bitsandbytes_int8(tmp_path):
    largest = np.abs(HEAD).max(axis=1)
    codes = np.round(HEAD / largest[:, None] * 127).astype(np.int8)
    check(write(tmp_path, {"weight": codes, "SCB": largest}), codes * largest[:, None] / 127, "I8")


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
def test_mlx_affine(tmp_path, bits):
    codes = RNG.integers(0, 2**bits, (V, D))
    stream = (codes[:, :, None] >> np.arange(bits) & 1).reshape(V, -1).astype(np.uint8)
    words = np.packbits(stream, axis=1, bitorder="little").view("<u4")
    scales, biases = (RNG.standard_normal((V, D // 32)).astype(np.float16) for _ in range(2))
    expected = codes * np.repeat(scales, 32, axis=1).astype(float) + np.repeat(biases, 32, axis=1)
    head = {"weight": words, "scales": scales, "biases": biases}
    folder = write(tmp_path, head, {"format": "mlx"}, quantization={"group_size": 32, "bits": bits})
    check(folder, expected, f"MLX {bits}-bit")


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("grid", [(1, 1), (V, 1), (V, 4), (5, 8)], ids=["tensor", "row", "group", "block"])
def test_int8_with_scales_and_zero_points(tmp_path, grid, zeros):
    codes = RNG.integers(-128, 128, (V, D)).astype(np.int8)
    scales = RNG.random(grid).astype(np.float32)
    points = RNG.integers(-20, 20, grid).astype(np.int8)

    def spread(values):
        return np.repeat(np.repeat(values, V // grid[0], axis=0), D // grid[1], axis=1)

    head = {"weight": codes, "weight_scale": scales} | ({"weight_zero_point": points} if zeros else {})
    expected = (codes.astype(float) - spread(points.astype(float)) * zeros) * spread(scales)
    check(write(tmp_path, head), expected, "I8")


def test_rows_of_equal_codes_under_other_factors_are_other_rows(tmp_path):
    codes = LOW_FIRST.copy()
    codes[7] = codes[3]
    exponents = EXPONENTS.copy()
    exponents[7] = exponents[3] + 1
    head = open_checkpoint(write(tmp_path, {"weight_packed": codes, "weight_scale": exponents})).unembedding
    assert not np.array_equal(head.stored_rows(3, 4), head.stored_rows(7, 8))


UNREAD = {
    "EXL2": {"q_weight": np.zeros((12, V), np.int32), "q_scale": np.zeros((1, 5), np.int32)},
    "EXL3": {"trellis": np.zeros((4, 3, 96), np.int16), "suh": np.zeros(D, np.float16)},
    "HQQ": {"W_q": np.zeros((V, 32), np.uint8), "scale": np.zeros((V, 1), np.float16)},
    "Quanto": {"weight._data": np.zeros((V, 32), np.uint8), "weight._scale": np.zeros((V, 1), np.float16)},
    "GPTQ or AWQ": {"qweight": np.zeros((8, V), np.int32), "scales": np.zeros((1, V), np.float16)},
    "pack-quantized": {"weight_packed": np.zeros((V, 8), np.int32), "weight_shape": np.zeros(2, np.int64)},
    "bitsandbytes": {"weight": np.zeros((V * 32, 1), np.uint8), "weight.absmax": np.zeros(40, np.float32)},
    "torchao": {"_weight_qdata": np.zeros((V, D), np.int8), "_weight_scale": np.ones((V, 1), np.float32)},
    "weight:qdata": {"weight:qdata": np.zeros((V, D), np.int8), "weight:scale": np.ones(V, np.float32)},
    "AQLM": {"codes": np.zeros((V, 8, 1), np.int8), "codebooks": np.zeros((1, 256, 1, 8), np.float16)},
    "VPTQ": {"indices": np.zeros((1, 8, V), np.int32), "centroids.weight": np.zeros((1, 99), np.float16)},
    "MLX, unmarked": {"weight": np.zeros((V, D // 8), np.uint32), "scales": np.zeros((V, 2), np.uint8)},
    "HIGGS": {"weight": np.zeros((V // 2, 16), np.int16), "scales": np.zeros((2, V), np.float16)},
    "EETQ": {"weight": np.zeros((D, V), np.int8), "weight_scales": np.zeros(V, np.float16)},
    "SpQR": {"dense_weights": np.zeros(V * D // 16, np.int64), "row_offsets": np.zeros(V + 1, np.int32)},
    "an unknown packing": {"clever_bits": np.zeros((V, 8), np.uint8)},
    "lm_head.weight [64, 40]": {"weight": HEAD.T},
    "weight norm": {"weight_g": np.ones((V, 1), np.float32), "weight_v": HEAD},
    "a pruned matrix": {"weight_orig": HEAD, "weight_mask": HEAD},
    "a matrix of a wrapped module": {"_orig_mod.weight": HEAD},
    "a flat parameter": {"_flat_param": HEAD.reshape(-1)},
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_head_that_is_there_and_not_read_is_named_and_never_called_absent(tmp_path, name):
    with pytest.raises(BadInputError, match="not read") as caught:
        open_checkpoint(write(tmp_path, UNREAD[name]))
    assert "lm_head" in str(caught.value)
    if name in dict(UNREAD_SIGNS) or name.startswith(("lm_head", "weight:")):
        assert name in str(caught.value)


def test_eight_bit_floats_under_another_name_are_not_absent(tmp_path):
    head = {"somehow_packed": np.zeros((V, D), np.uint8)}
    with pytest.raises(BadInputError, match=r"lm_head.somehow_packed \[40, 64\] F8_E4M3, which is not read"):
        open_checkpoint(write(tmp_path, head, dtypes={"somehow_packed": "F8_E4M3"}))


def test_small_tensors_beside_a_tied_matrix_are_no_head(tmp_path):
    beside = {"dense.weight": np.zeros((D, D), np.float32), "layer_norm.weight": np.zeros(D, np.float32),
              "bias": np.zeros(V, np.float32)}  # fmt: skip
    assert open_checkpoint(write(tmp_path, beside)).tying == "tied"


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((V, D // 8), "int32"), ((V, D // 2), "uint8"), ((V // 4, D), "uint8"), ((V, D), "uint8"),
     ((V, D // 2), "int8")],
)  # fmt: skip
def test_several_numbers_in_one_integer_are_not_taken_for_one(tmp_path, shape, dtype):
    head = {"weight": np.zeros(shape, dtype), "weight_scale": np.ones((shape[0], 1), np.float32)}
    with pytest.raises(BadInputError, match="in a packing that is not read, so its numbers are unknown"):
        open_checkpoint(write(tmp_path, head))


def test_an_embedding_that_is_there_and_not_read_is_named(tmp_path):
    folder = write(tmp_path, {"weight": HEAD})
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes().replace(b"model.embed_tokens.weight", b"model.embed_tokens.q_wght"))
    raw = path.read_bytes().replace(b"model.embed_tokens.q_wght", b"model.embed_tokens.qweight")
    length = int.from_bytes(raw[:8], "little") + 1
    path.write_bytes(length.to_bytes(8, "little") + raw[8:])
    with pytest.raises(BadInputError, match="the embedding is stored as GPTQ or AWQ"):
        open_checkpoint(folder)
