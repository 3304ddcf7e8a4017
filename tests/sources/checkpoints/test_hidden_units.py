"""Hidden units are found under the names of each architecture, one row per unit."""

import numpy as np
import pytest

from forensics.sources.checkpoints.hidden_units import open_hidden_units
from tests.sources.written_checkpoints import matrix, write_folder

D, UNITS = 6, 10


@pytest.mark.parametrize(
    ("up", "gate"),
    [
        ("model.layers.{}.mlp.up_proj.weight", "model.layers.{}.mlp.gate_proj.weight"),
        ("layers.{}.feed_forward.w3.weight", "layers.{}.feed_forward.w1.weight"),
        ("blk.{}.ffn_up.weight", "blk.{}.ffn_gate.weight"),
        ("gpt_neox.layers.{}.mlp.dense_h_to_4h.weight", None),
        ("model.decoder.layers.{}.fc1.weight", None),
        ("encoder.layer.{}.intermediate.dense.weight", None),
    ],
)
def test_units_are_rows(tmp_path, up, gate):
    tensors = {
        name.format(layer): matrix(layer + 10 * at, UNITS, D)
        for layer in (0, 11)
        for at, name in enumerate((up, gate))
        if name is not None
    }
    found = open_hidden_units(write_folder(tmp_path, tensors))
    assert list(found.up) == [0, 11]
    assert list(found.gate) == ([] if gate is None else [0, 11])
    np.testing.assert_array_equal(found.read(found.up[11], 99), tensors[up.format(11)])
    assert found.read(found.up[0], 4).shape == (4, D)


def test_gpt2_keeps_units_in_columns(tmp_path):
    stored = matrix(0, D, UNITS)
    found = open_hidden_units(write_folder(tmp_path, {"h.3.mlp.c_fc.weight": stored}))
    np.testing.assert_array_equal(found.read(found.up[3], 4), stored[:, :4].T)


def test_what_holds_no_units_of_a_layer_is_left_out(tmp_path):
    tensors = {
        "model.layers.0.mlp.experts.1.up_proj.weight": matrix(0, UNITS, D),
        "model.layers.0.mlp.gate_up_proj.weight": matrix(1, UNITS, D),
        "model.layers.0.self_attn.q_proj.weight": matrix(2, D, D),
        "model.layers.1.mlp.up_proj.weight": np.ones((UNITS, D), dtype=np.int8),
        "model.layers.0.input_layernorm.weight": np.full(D, 2, dtype=np.float32),
    }
    found = open_hidden_units(write_folder(tmp_path, tensors))
    assert not found.up and not found.gate
    assert list(found.norms()) == ["model.layers.0.input_layernorm.weight"]
