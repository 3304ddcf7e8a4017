"""An embedding model run by ONNX Runtime: the same vectors as torch's, on a CPU in less time.

The loaded torch model is exported with its pooling, so that one call takes ids and gives unit vectors. The
export happens in memory at every start; nothing is written beside the model. A traced model can have an
input's shape baked in, so the vectors of a few texts of other shapes are compared with torch's before the
session is used.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import ForensicsError

__all__ = ["NotExportableError", "OnnxForward", "is_installed", "open_onnx_forward"]

Int64Array = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

#: Components of unit vectors may differ this much from torch's; the last bits of float32 move them by some
#: 2e-7 on all-MiniLM-L6-v2.
TOLERANCE = 1e-5
#: Shapes (texts, ids) that are compared; none is the shape of the example that is traced.
_TRIED_SHAPES = ((1, 3), (3, 17), (2, 41))
_EXAMPLE_SHAPE = (2, 8)
_OPSET = 17
#: A protocol buffer holds no more; larger models would need their weights beside the graph.
_MOST_BYTES = 2**31 - 1


class NotExportableError(ForensicsError):
    """The model cannot be run by ONNX Runtime; says why."""


class OnnxForward:
    """Ids of texts of one length `(n, length)` -> unit vectors `(n, d)`; may be called by many threads."""

    def __init__(self, graph: bytes) -> None:
        """Open a session on an exported model; every call runs on the calling thread alone."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread a call, many calls at a time: a batch's numbers do not depend on the number of threads.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def __call__(self, ids: Int64Array) -> Float32Array:
        """Return the unit vectors of texts of one length."""
        vectors: Float32Array = self._session.run(None, {"input_ids": ids})[0]
        return vectors


def is_installed() -> bool:
    """Return whether the packages of the extra `onnx` are there, without importing them."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def open_onnx_forward(
    model: Any, pool: Callable[[Any], Any], reference: Callable[[Int64Array], Float32Array], rows: int
) -> OnnxForward:
    """Return `model` as an ONNX Runtime session that gives what `reference` gives.

    :param model: A torch encoder in float32 on the CPU.
    :param pool: Its last hidden states -> unit vectors, in torch.
    :param reference: Ids -> unit vectors by torch.
    :param rows: Rows of the embedding; the texts compared are drawn from them.
    :raises NotExportableError: If the export fails or its vectors are not torch's.
    """
    generator = np.random.default_rng(0)
    try:
        graph = _export(model, pool, generator.integers(0, rows, _EXAMPLE_SHAPE))
        forward = OnnxForward(graph)
        tried = [generator.integers(0, rows, shape) for shape in _TRIED_SHAPES]
        apart = max(float(np.abs(forward(ids) - reference(ids)).max()) for ids in tried)
    except Exception as error:  # exporter and runtime raise what they like; torch still runs the model
        reason = " ".join(str(error).split())[:200] or "no reason given"
        raise NotExportableError(f"{type(error).__name__}: {reason}") from error
    if not apart <= TOLERANCE:
        raise NotExportableError(f"its vectors differ from torch's by up to {apart:.1g}")
    return forward


def _export(model: Any, pool: Callable[[Any], Any], example: Int64Array) -> bytes:
    """Return the ONNX graph of ids -> unit vectors."""
    import torch

    class Embedding(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor) -> Any:
            return pool(self.model(input_ids=input_ids).last_hidden_state)

    size = sum(p.numel() * p.element_size() for p in model.parameters())
    if size > _MOST_BYTES:
        raise NotExportableError(f"{size / 2**30:.1f} GiB of weights, an exported graph holds 2")
    file = io.BytesIO()
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            # The tracing exporter: on the demo model it takes a seventh of the time of the other one, needs
            # one package less, and the graph runs as fast.
            torch.onnx.export(
                Embedding().eval(),
                (torch.from_numpy(example),),
                file,
                input_names=["input_ids"],
                output_names=["vectors"],
                dynamic_axes={"input_ids": {0: "texts", 1: "length"}, "vectors": {0: "texts"}},
                opset_version=_OPSET,
                dynamo=False,
            )
    finally:
        logging.getLogger("torch.onnx").setLevel(level)
    return file.getvalue()
