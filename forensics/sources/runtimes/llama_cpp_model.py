"""A GGUF file run by llama.cpp, asked for next tokens: for what transformers cannot load.

llama.cpp computes with the file's own quantisation and knows architectures that transformers has no code for.
Many prompts that begin alike are read together: what they share is computed once and lent to as many
sequences as there are prompts, each of which goes on by itself.

Left out: accelerators (the package is compiled for one or it is not; llama.cpp then decides by itself).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError, MissingExtraError
from forensics.sources.interface import Checkpoint, NextTokens

__all__ = ["LlamaCppModel"]

#: Prompts read together, ids of all of them behind what they share, and the longest prompt.
_SEQUENCES, _BATCH, _CONTEXT = 32, 2048, 4096


class LlamaCppModel:
    """A GGUF file in llama.cpp; a `NextTokenModel`."""

    def __init__(self, checkpoint: Checkpoint, *, threads: int | None = None) -> None:
        """Load the file.

        :param checkpoint: An opened GGUF file.
        :param threads: Threads; None: one per core.
        :raises BadInputError: If it is no GGUF file, or llama.cpp cannot load it.
        :raises MissingExtraError: If llama-cpp-python is not installed.
        """
        if checkpoint.format != "gguf":
            found = "no GGUF file, which is all that llama.cpp reads"
            raise BadInputError(checkpoint.path, found, "leave out --runtime")
        try:
            import llama_cpp
        except ImportError as error:
            raise MissingExtraError("llama_cpp", "llamacpp", "running a model in llama.cpp") from error
        self._library: Any = llama_cpp
        file = next(f for f in (checkpoint.path, *checkpoint.files) if f.suffix == ".gguf" and f.is_file())
        self._model, self._context = self._load(file, threads or os.cpu_count() or 1)
        self._memory = llama_cpp.llama_get_memory(self._context)
        #: Tokens the model has rows for.
        self.rows = int(llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model)))
        #: Ids that a prompt may have.
        self.positions = min(_CONTEXT, int(llama_cpp.llama_model_n_ctx_train(self._model)))
        #: What sequence 0 holds.
        self._held: tuple[int, ...] = ()

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt, see `NextTokenModel`."""
        log_p = np.empty(len(tokens), dtype=np.float32)
        said = np.empty(len(tokens), dtype=np.int64)
        for start, shared, batch in _batches(prompts):
            logits = self._read(shared, batch)
            rows = np.arange(start, start + len(batch))
            asked = np.asarray(tokens, dtype=np.int64)[rows]
            log_p[rows] = logits[np.arange(len(batch)), asked] - _log_sum_exp(logits)
            said[rows] = logits.argmax(axis=1)
        return NextTokens(log_p, said)

    def _load(self, file: Path, threads: int) -> tuple[Any, Any]:
        library = self._library
        _silence(library)
        library.llama_backend_init()
        model = library.llama_model_load_from_file(os.fsencode(file), library.llama_model_default_params())
        if not model:
            raise BadInputError(file, "llama.cpp cannot load it", "scan it without verification")
        wanted = library.llama_context_default_params()
        wanted.n_ctx = _CONTEXT + _BATCH
        wanted.n_batch = wanted.n_ubatch = _BATCH
        wanted.n_seq_max = _SEQUENCES + 1
        wanted.kv_unified = True
        wanted.n_threads = wanted.n_threads_batch = threads
        context = library.llama_init_from_model(model, wanted)
        if not context:
            raise BadInputError(file, "llama.cpp has no memory for it", "scan it without verification")
        return model, context

    def _read(self, shared: tuple[int, ...], rests: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Return the logits behind `shared` and each of `rests`, shape (n, V)."""
        library = self._library
        self._hold(shared)
        for sequence in range(1, len(rests) + 1):
            library.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        places = [
            (token, len(shared) + place, sequence, place == len(rest) - 1)
            for sequence, rest in enumerate(rests, 1)
            for place, token in enumerate(rest)
        ]
        self._decode(places)
        ends = [i for i, (*_, is_last) in enumerate(places) if is_last]
        pointers = [library.llama_get_logits_ith(self._context, i) for i in ends]
        logits = np.stack([np.ctypeslib.as_array(p, shape=(self.rows,)) for p in pointers])
        for sequence in range(1, len(rests) + 1):
            library.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return logits

    def _hold(self, shared: tuple[int, ...]) -> None:
        """Have sequence 0 hold `shared`, computing only what it does not hold already."""
        common = _common(self._held, shared)
        if not self._library.llama_memory_seq_rm(self._memory, 0, common, -1):
            # Recurrent models cannot forget a part.
            self._library.llama_memory_seq_rm(self._memory, 0, -1, -1)
            common = 0
        self._held = ()
        for start in range(common, len(shared), _BATCH):
            part = shared[start : start + _BATCH]
            self._decode([(token, start + i, 0, i == len(part) - 1) for i, token in enumerate(part)])
        self._held = shared

    def _decode(self, places: Sequence[tuple[int, int, int, bool]]) -> None:
        """Compute (token, position, sequence, whether its logits are wanted) for all places."""
        library = self._library
        batch = library.llama_batch_init(len(places), 0, 1)
        try:
            batch.n_tokens = len(places)
            for i, (token, position, sequence, wanted) in enumerate(places):
                batch.token[i] = token
                batch.pos[i] = position
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = sequence
                batch.logits[i] = wanted
            if library.llama_decode(self._context, batch) != 0:
                raise BadInputError("llama.cpp", "cannot compute a prompt", "run without --runtime llamacpp")
        finally:
            library.llama_batch_free(batch)


def _batches(
    prompts: Sequence[Sequence[int]],
) -> Iterator[tuple[int, tuple[int, ...], list[Sequence[int]]]]:
    """Yield where a batch begins, what its prompts share, and what each goes on with (one id at least).

    >>> list(_batches([[1, 2, 3], [1, 2, 4, 5], [1, 9]]))
    [(0, (1,), [[2, 3], [2, 4, 5], [9]])]
    """
    start = 0
    while start < len(prompts):
        shared = tuple(prompts[start][:-1])
        end = start + 1
        while end < len(prompts) and end - start < _SEQUENCES:
            common = min(_common(shared, prompts[end]), len(prompts[end]) - 1)
            ids = sum(len(p) - common for p in prompts[start : end + 1])
            # What is shared less is computed more often.
            if ids > _BATCH or common < len(shared) // 2:
                break
            shared, end = shared[:common], end + 1
        yield start, shared, [prompt[len(shared) :] for prompt in prompts[start:end]]
        start = end


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many ids two prompts begin with alike."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _log_sum_exp(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    largest = logits.max(axis=1)
    sums = np.exp(logits - largest[:, None], dtype=np.float64).sum(axis=1)
    return np.asarray(largest + np.log(sums), dtype=np.float32)


def _silence(library: Any) -> None:
    """Keep the engine's own words off the screen; what matters comes back as a return value."""
    if not hasattr(_silence, "callback"):
        callback = library.llama_log_callback(lambda level, text, data: None)
        _silence.callback = callback  # type: ignore[attr-defined]
    library.llama_log_set(_silence.callback, None)  # type: ignore[attr-defined]
