"""What runs an embedding model: torch, or ONNX Runtime where that is installed, fits and gives the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import MissingExtraError, OptionError
from forensics.progress import Progress
from forensics.sources.runtimes.dense_layer import read_dense_layer
from forensics.sources.runtimes.embedding_layout import EmbeddingLayout, StepKind
from forensics.sources.runtimes.pooling import pool_states
from forensics.sources.runtimes.text_tokenizer import TextTokenizer

__all__ = ["BACKENDS", "Forward", "Pool", "choose_forward", "unit_vectors_of"]

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
#: Ids of texts of one length `(n, length)`, special ones included -> unit vectors `(n, d)`.
Forward = Callable[[Int64Array], Float32Array]
#: Last hidden states of texts of one length -> unit vectors, in torch.
Pool = Callable[[Any], Any]

BACKENDS = ("auto", "torch", "onnx")
#: `auto` leaves smaller models to torch: they run in no time, and the export takes seconds.
LEAST_EXPORTED_PARAMETERS = 5_000_000


def unit_vectors_of(layout: EmbeddingLayout, tokenizer: TextTokenizer, device: Any) -> Pool:
    """Return what follows the transformer: last hidden states `(n, length, d)` -> unit vectors `(n, k)`.

    :param layout: For the pooling, the layers after it and the dimensions that are kept.
    :param tokenizer: For the positions of a prompt that is not pooled.
    :param device: The torch device.
    :raises BadInputError: If a layer cannot be read.
    """
    import torch

    normalize = torch.nn.functional.normalize
    later = list(layout.later)
    while later and later[-1].kind is StepKind.NORMALIZE:
        later.pop()  # the vectors are scaled at the end in any case
    steps = [
        read_dense_layer(step.folder, device) if step.kind is StepKind.DENSE else normalize for step in later
    ]
    skipped = 0 if layout.pooling.include_prompt else tokenizer.prompt_positions

    def pool(states: Any) -> Any:
        vectors = pool_states(states.float(), layout.pooling, skipped)
        for step in steps:
            vectors = step(vectors)
        kept = vectors if layout.dimensions is None else vectors[:, : layout.dimensions]
        return normalize(kept, dim=1)

    return pool


def choose_forward(
    model: Any, pool: Pool, backend: str, rows: int, progress: Progress
) -> tuple[str, Forward]:
    """Return what runs the model, `torch` or `onnx`, and the model as a function of ids.

    :param model: The loaded transformer.
    :param pool: From `unit_vectors_of`.
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
            vectors: Float32Array = pool(states).cpu().numpy()
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
            return "onnx", open_onnx_forward(model, pool, by_torch, rows)
    except NotExportableError as error:
        if backend == "onnx":
            raise OptionError("backend", f"onnx cannot run this model ({error})", "use torch") from error
        progress.note(f"ONNX Runtime cannot run this model ({error}); torch does.")
        return "torch", by_torch
