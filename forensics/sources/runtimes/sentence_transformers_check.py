"""sentence-transformers as the judge: where it is installed, our vectors are held against its own.

What users call the embedding of a model is what the library's `encode` gives. It loads the folder, a few
texts are embedded by both at every start, among them one that is too long, and a difference is an error:
numbers about another embedding than the one in use would be worth nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError

__all__ = ["Embedder", "check_against_library", "is_installed", "load_by_library"]

Float32Array = npt.NDArray[np.float32]

#: Cosines of float32 vectors may differ this much.
TOLERANCE = 1e-5
#: In the other formats a batch of other texts already moves a cosine by some of their steps.
_STEPS = 4
_TRIED = (
    "The river flows north.",
    "\u00c4RGER in Z\u00fcrich, 42 Times! (really)",
    "house",
    "\u8fd9\u662f\u4e00\u53e5\u8bdd\u3002",
    "several   spaces\tand a tab",
)
#: A limit beyond this is not tried: the text would be long, and so would its tokenizing be.
_MOST_TRIED = 50_000


class Embedder(Protocol):
    """What is held against the library: a `TextEncoder`."""

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def before(self) -> tuple[int, ...]:
        """Ids before every text."""
        ...

    @property
    def after(self) -> tuple[int, ...]:
        """Ids after every text."""
        ...

    @property
    def max_length(self) -> int:
        """The most ids of a text."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return content ids."""
        ...

    def embed(self, contents: Sequence[Sequence[int]]) -> Float32Array:
        """Return unit vectors."""
        ...


def is_installed() -> bool:
    """Return whether sentence-transformers is there, without importing it."""
    return importlib.util.find_spec("sentence_transformers") is not None


def load_by_library(folder: Path, device: Any, options: dict[str, Any]) -> Any:
    """Return the `SentenceTransformer` of a folder; it downloads nothing and runs no code of the folder.

    :param folder: A folder whose `modules.json` was read and found to have known modules only.
    :param device: A torch device.
    :param options: Keywords of `from_pretrained`.
    """
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(folder), device=str(device), local_files_only=True, trust_remote_code=False, model_kwargs=options
    )


def check_against_library(encoder: Embedder, library: Any, prompt: str) -> None:
    """Hold ids and vectors of a few texts against those of the library.

    :param encoder: What the analysis uses.
    :param library: From `load_by_library`.
    :param prompt: What the folder puts before every text.
    :raises BadInputError: If they differ: the numbers would be about another embedding.
    """
    import torch

    long = [_TRIED[0] * (1 + encoder.max_length // 4)] if encoder.max_length <= _MOST_TRIED else []
    texts = [*_TRIED, *long]
    preprocess = getattr(library, "preprocess", None) or library.tokenize
    for text, content in zip(texts, encoder.tokenize(texts), strict=True):
        ours = [*encoder.before, *content, *encoder.after]
        theirs = preprocess([prompt + text])["input_ids"][0].tolist()
        if ours != theirs:
            _refuse(encoder, f"the text {text[:30]!r} becomes {len(ours)} ids here and {len(theirs)} there")
    vectors = encoder.embed(encoder.tokenize(_TRIED)).astype(np.float64)
    # One at a time, so that nothing is padded.
    given = [
        library.encode(
            text, normalize_embeddings=True, show_progress_bar=False, convert_to_tensor=True
        ).float()
        for text in _TRIED
    ]
    expected = torch.stack(given).cpu().numpy().astype(np.float64)
    if vectors.shape != expected.shape:
        _refuse(encoder, f"{vectors.shape[1]} dimensions here, {expected.shape[1]} there")
    apart = float(np.abs(vectors @ vectors.T - expected @ expected.T).max())
    moved = float(np.abs(vectors - expected).max())
    dtype = next(library.parameters()).dtype
    allowed = TOLERANCE if dtype is torch.float32 else _STEPS * float(torch.finfo(dtype).eps)
    if not max(apart, moved) <= allowed:
        _refuse(encoder, f"cosines differ by up to {apart:.1g}, components by {moved:.1g}")


def _refuse(encoder: Embedder, found: str) -> None:
    raise BadInputError(
        encoder.path,
        f"its embedding as computed here is not that of sentence-transformers ({found})",
        "use another model, or report this folder",
    )
