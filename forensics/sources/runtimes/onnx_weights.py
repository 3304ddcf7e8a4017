"""An encoder whose folder holds nothing but an ONNX export: its weights, named as transformers names them.

Folders for ONNX Runtime hold config.json, a tokenizer and `model.onnx`, and no safetensors. Sticky tokens are
measured by replacing rows of the embedding, so the graph alone does not do: the encoder is built from
config.json and filled with the numbers of the graph. Embeddings, norms and biases keep their names in an
export. The matrix of a linear layer loses its name and is turned round; it is named again by the scope of
its node, or by the bias that is added to its product. Where the graph gives token vectors, those of the
encoder are compared with them before anything is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, MissingExtraError
from forensics.progress import Progress
from forensics.sources.runtimes.onnx_forward import is_installed

__all__ = ["fill_from_export", "find_export"]

Array = npt.NDArray[Any]

#: Where exports lie in a folder, and what the usual one is called.
_FOLDERS, _USUAL = (".", "onnx"), "model.onnx"
#: What the names of quantised or fused exports hold.
_REDUCED = re.compile(r"q4|q8|int8|bnb4|quant|_O[1-4]")
#: What weights that transformers reads itself are called.
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.index.json")
#: Nodes that take quantised weights hold one of these in their names.
_QUANTISED = ("Integer", "QLinear", "Quantize", "QGemm", "QAttention", "QEmbed", "NBits", "Bnb4")
#: Token vectors may differ this much, as a share of the largest component. On paraphrase-MiniLM-L3-v2 they
#: differ by 1e-6 of it; a float16 graph rounds every step to 5e-4.
_TOLERANCE = {"float32": 1e-4, "float16": 2e-2}
#: Texts that are compared: how many, and how long.
_TRIED_SHAPE = (3, 17)


def find_export(folder: Path) -> Path | None:
    """Return the ONNX export of a folder that has no other weights, None where there is none.

    Of several it is the one called `model.onnx`, else one whose name tells of no reduction.
    """
    if any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        return None
    found = [file for each in _FOLDERS for file in (folder / each).glob("*.onnx") if file.is_file()]
    return min(found, default=None, key=_reduction)


def _reduction(file: Path) -> tuple[bool, bool, str]:
    """Return a key by which exports are sorted, the best first."""
    return file.name != _USUAL, _REDUCED.search(file.name) is not None, str(file)


def fill_from_export(model: Any, file: Path, progress: Progress, unused: str) -> None:
    """Give `model` the weights of an export of it.

    :param model: A transformers encoder with any weights, in evaluation mode.
    :param file: The exported graph.
    :param progress: Told where the graph gives no token vectors to compare with.
    :param unused: Parameters with this in their names need not be there.
    :raises BadInputError: If the graph is damaged, quantised, fused, of another model, or gives other
        vectors.
    :raises MissingExtraError: If ONNX is not installed.
    """
    import torch

    graph = _read(file)
    weights = _named_weights(graph)
    state = model.state_dict()
    found = {name: array for name in state if (array := _of(name, weights)) is not None}
    misfits = [n for n, a in found.items() if tuple(a.shape) != tuple(state[n].shape)]
    missing = [n for n in state if n not in found and not n.endswith(".position_ids")]
    wanting = sorted(name for name in (*missing, *misfits) if unused not in name)
    if wanting:
        said = f"holds no fitting numbers for {len(wanting)} tensors of the encoder, first {wanting[0]}"
        remedy = "name the folder the export was made from; a graph that was fused for speed cannot be read"
        raise BadInputError(file, said, remedy)
    kept = {n: torch.from_numpy(np.array(a)).to(state[n].dtype) for n, a in found.items() if n not in misfits}
    model.load_state_dict(kept, strict=False)
    _compare(model, file, any(a.dtype == np.float16 for a in found.values()), progress)


def _read(file: Path) -> Any:
    """Return the graph with its weights in memory."""
    if not is_installed():
        raise MissingExtraError("onnx", "onnx", f"reading {file.name}")
    import onnx

    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:  # protobuf, missing or misplaced external data: each has its own error
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadInputError(file, f"cannot be read as ONNX ({reason})", "download it again") from error
    small = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    nodes = [n.op_type for n in graph.node if any(q in n.op_type for q in _QUANTISED)]
    matrices = [t.name for t in graph.initializer if t.data_type in small and len(t.dims) > 1]
    if quantised := next(iter((*nodes, *matrices)), None):
        found = f"holds quantised weights ({quantised})"
        raise BadInputError(file, found, "use the export in float32 or float16, or the original weights")
    return graph


def _named_weights(graph: Any) -> dict[str, Array]:
    """Return what the graph holds under the names it had in the model, in the layout it had there."""
    from onnx import numpy_helper

    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        # Of tensors with the same numbers an exporter may keep one.
        if node.op_type == "Identity" and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
    turned: dict[str, list[Array]] = {}
    for name, matrix in _turned_matrices(graph, held):
        turned.setdefault(name, []).append(matrix)
    return {**held, **{name: claims[0] for name, claims in turned.items() if len(claims) == 1}}


def _turned_matrices(graph: Any, held: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield name and matrix (out, in) of the linear layers."""
    biases: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "Add":
            for product, bias in (tuple(node.input), tuple(node.input)[::-1]):
                if bias in held and bias.endswith(".bias"):
                    biases[product] = bias.removesuffix(".bias")
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in held and held[node.input[1]].ndim == 2:
            if node.name.startswith("/") and node.name.endswith("/MatMul"):
                layer = node.name.removesuffix("/MatMul").strip("/").replace("/", ".")
            elif node.output[0] in biases:  # older exporters give nodes no scope
                layer = biases[node.output[0]]
            else:
                continue
            yield f"{layer}.weight", held[node.input[1]].T


def _of(name: str, weights: Mapping[str, Array]) -> Array | None:
    """Return the weight of a parameter, whose name may have the name of an outer module before it."""
    if name in weights:
        return weights[name]
    found = [key for key in weights if key.endswith(f".{name}")]
    return weights[found[0]] if len(found) == 1 else None


def _compare(model: Any, file: Path, is_half: bool, progress: Progress) -> None:
    """Refuse an encoder that gives other token vectors than the graph."""
    import onnxruntime
    import torch

    rows = model.get_input_embeddings().weight.shape[0]
    ids = np.random.default_rng(0).integers(0, rows, _TRIED_SHAPE)
    with torch.inference_mode():
        expected = model(input_ids=torch.from_numpy(ids)).last_hidden_state.float().numpy()
    feeds = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
        "position_ids": np.broadcast_to(np.arange(ids.shape[1]), ids.shape).copy(),
    }
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        asked = {each.name: feeds[each.name] for each in session.get_inputs()}
        answers = session.run(None, asked)
    except Exception as error:  # an input unknown here, an operator the runtime lacks
        reason = " ".join(str(error).split())[:200]
        progress.note(f"{file.name} could not be run to compare with it ({type(error).__name__}: {reason}).")
        return
    alike = [a.astype(np.float32) for a in answers if a.shape == expected.shape]
    if not alike:
        progress.note(f"{file.name} gives no token vectors to compare those of the encoder with.")
        return
    apart = min(float(np.abs(answer - expected).max()) for answer in alike) / float(np.abs(expected).max())
    if not apart <= _TOLERANCE["float16" if is_half else "float32"]:
        found = f"gives other token vectors than config.json with its weights, by {apart:.1g} of the largest"
        raise BadInputError(file, found, "use the config.json that belongs to the export")
