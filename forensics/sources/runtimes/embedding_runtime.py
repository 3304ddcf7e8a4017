"""What runs an embedding model: torch, or ONNX Runtime where that is installed, fits and gives the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import MissingExtraError, OptionError
from forensics.progress import Progress

__all__ = ["BACKENDS", "Forward", "choose_forward"]

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
#: Ids of texts of one length `(n, length)`, special ones included -> unit vectors `(n, d)`.
Forward = Callable[[Int64Array], Float32Array]

BACKENDS = ("auto", "torch", "onnx")
#: `auto` leaves smaller models to torch: they run in no time, and the export takes seconds.
LEAST_EXPORTED_PARAMETERS = 5_000_000


def _pool(states: Any, pooling: str) -> Any:
    """Return one unit vector per text, `(n, length, d)` -> `(n, d)`; no text is padded."""
    import torch

    states = states.float()
    if pooling == "mean":
        pooled = states.mean(dim=1)
    elif pooling == "max":
        pooled = states.amax(dim=1)
    else:
        pooled = states[:, 0] if pooling == "cls" else states[:, -1]
    return torch.nn.functional.normalize(pooled, dim=1)


def choose_forward(
    model: Any, pooling: str, backend: str, rows: int, progress: Progress
) -> tuple[str, Forward]:
    """Return what runs the model, `torch` or `onnx`, and the model as a function of ids.

    :param model: The loaded transformer.
    :param pooling: How token vectors become one.
    :param backend: One of `BACKENDS`.
    :param rows: Rows of the embedding.
    :param progress: Where to report.
    :raises OptionError: If ONNX Runtime was asked for and cannot run it.
    :raises MissingExtraError: If it was asked for and is not installed.
    """
    import torch

    from forensics.sources.runtimes.onnx_forward import NotExportableError, is_installed, open_onnx_forward

    def by_torch(ids: Int64Array) -> Float32Array:
        with torch.inference_mode():
            states = model(input_ids=torch.from_numpy(ids).to(model.device)).last_hidden_state
            vectors: Float32Array = _pool(states, pooling).cpu().numpy()
        return vectors

    parameter = next(model.parameters())
    fit = parameter.device.type == "cpu" and parameter.dtype is torch.float32
    if backend == "auto":
        worth = sum(p.numel() for p in model.parameters()) >= LEAST_EXPORTED_PARAMETERS
        if not (fit and worth and is_installed()):
            return "torch", by_torch
    elif backend == "torch":
        return "torch", by_torch
    elif not fit:
        raise OptionError("backend", "onnx runs on a CPU in float32 only", "use torch")
    elif not is_installed():
        raise MissingExtraError("onnxruntime", "onnx", "the backend onnx")
    try:
        with progress.stage("export to ONNX"):
            return "onnx", open_onnx_forward(model, lambda states: _pool(states, pooling), by_torch, rows)
    except NotExportableError as error:
        if backend == "onnx":
            raise OptionError("backend", f"onnx cannot run this model ({error})", "use torch") from error
        progress.note(f"ONNX Runtime cannot run this model ({error}); torch does.")
        return "torch", by_torch
