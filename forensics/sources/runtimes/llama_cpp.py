"""A GGUF file run by llama.cpp in this process, for what transformers cannot load.

llama.cpp computes with the file's own quantisation and knows architectures that transformers has no code for.
Its own server is started on a port of this machine and asked as any other, so there is one way of asking
(`served_model`), and prompts that begin alike are read once (the server's prompt cache). The library is
xllamacpp, which brings that server compiled.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from forensics.errors import BadInputError, MissingExtraError
from forensics.sources.interface import Checkpoint, NextTokens
from forensics.sources.runtimes.served_model import ServedModel

__all__ = ["LlamaCppModel"]

#: Prompts under way at once, and ids of all of them together.
_SLOTS, _CONTEXT = 8, 16384


class LlamaCppModel:
    """A GGUF file in llama.cpp; a `NextTokenModel`."""

    def __init__(self, checkpoint: Checkpoint, *, threads: int | None = None) -> None:
        """Load the file and start answering.

        :param checkpoint: An opened GGUF file.
        :param threads: Threads; None: one per core.
        :raises BadInputError: If it is no GGUF file, or llama.cpp cannot load it.
        :raises MissingExtraError: If xllamacpp or urllib3 is not installed.
        """
        if checkpoint.format != "gguf":
            found = "no GGUF file, which is all that llama.cpp reads"
            raise BadInputError(checkpoint.path, found, "leave out --runtime")
        try:
            import xllamacpp
        except ImportError as error:
            raise MissingExtraError("xllamacpp", "llamacpp", "running a model in llama.cpp") from error
        wanted = _settings(xllamacpp, checkpoint, threads or os.cpu_count() or 1)
        try:
            #: Runs as long as this object lives.
            self._server: Any = xllamacpp.Server(wanted)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:160]
            found = f"llama.cpp cannot load it ({reason})"
            raise BadInputError(checkpoint.path, found, "scan it without verification") from error
        self._asked = ServedModel(self._server.listening_address, in_flight=_SLOTS)
        #: Ids that a prompt may have.
        self.positions = self._asked.positions

    def next_tokens(self, prompts: Sequence[Sequence[int]], tokens: Sequence[int]) -> NextTokens:
        """Return what the model would say behind each prompt, see `NextTokenModel`."""
        return self._asked.next_tokens(prompts, tokens)


def _settings(library: Any, checkpoint: Checkpoint, threads: int) -> Any:
    """Return how the server is to run: quietly, on this machine alone, on what the user granted."""
    file = next(f for f in (checkpoint.path, *checkpoint.files) if f.suffix == ".gguf" and f.is_file())
    wanted = library.CommonParams()
    wanted.model.path = str(file)
    wanted.n_ctx = _CONTEXT
    wanted.n_parallel = _SLOTS
    wanted.kv_unified = True
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.warmup = False
    wanted.port = 0
    wanted.verbosity = -1
    wanted.ui = False
    return wanted
