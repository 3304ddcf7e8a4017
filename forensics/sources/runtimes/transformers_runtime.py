"""How transformers is asked for any model: offline, without code from its folder, and in silence."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, MissingExtraError, OptionError

__all__ = [
    "check_dtype",
    "choose_device",
    "import_libraries",
    "loading_options",
    "quiet",
    "reason_of",
    "refuse_random_weights",
    "without_named_code",
]

#: Attributes of a configuration that choose code: implementations of attention and experts, kernels.
CODE_KEYS = (
    "_attn_implementation",
    "_attn_implementation_internal",
    "attn_implementation",
    "_experts_implementation",
    "_experts_implementation_internal",
    "experts_implementation",
    "use_kernels",
    "kernel_config",
    "allow_all_kernels",
)
#: What transformers fills with random numbers, by its own report of the loading.
_RANDOM = ("missing_keys", "mismatched_keys")
DTYPES = ("float32", "bfloat16", "float16")


def import_libraries() -> tuple[Any, Any]:
    """Return transformers and torch.

    :raises MissingExtraError: If one is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "models", "running a model") from error
    return transformers, torch


def check_dtype(dtype: str) -> None:
    """Refuse a dtype that is none.

    :raises OptionError: If it is neither `auto` nor one of `DTYPES`.
    """
    if dtype not in ("auto", *DTYPES):
        raise OptionError("dtype", f"found {dtype!r}", f"give auto, {', '.join(DTYPES)}")


def choose_device(torch: Any, device: str) -> Any:
    """Return a torch device; `auto` is an accelerator if torch sees one, else the CPU.

    :raises OptionError: If the device cannot be used here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:  # torch asserts where a build has no CUDA
        raise OptionError("device", f"{device!r} cannot be used", "give auto, cpu or cuda") from error
    return chosen


def loading_options(transformers: Any, dtype: Any, *, trust_remote_code: bool = False) -> dict[str, Any]:
    """Return the keywords of `from_pretrained`: nothing is downloaded, pickled weights are read restricted.

    :param transformers: The library.
    :param dtype: A torch dtype, or `auto` for the one the weights are stored in.
    :param trust_remote_code: Allow Python code that comes with the model to run.
    """
    # Written dtype= since transformers 4.56, torch_dtype= before.
    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    return {
        "dtype" if version >= (4, 56) else "torch_dtype": dtype,
        "local_files_only": True,
        "trust_remote_code": trust_remote_code,
        "weights_only": True,
    }


def without_named_code(config: Any) -> None:
    """Take out of a configuration what may name a package of code on the hub (`org/kernel`).

    transformers fetches and imports an attention kernel that `config.json` names. Which implementation
    computes is this machine's choice and no property of the model: the library's own is used.
    """
    for part in (config, *(getattr(config, name, None) for name in getattr(config, "sub_configs", {}))):
        for key in CODE_KEYS:
            if part is not None and getattr(part, key, None) is not None:
                with suppress(AttributeError, TypeError, ValueError):  # a property without a setter
                    setattr(part, key, None)


def refuse_random_weights(
    where: Path, report: Mapping[str, Any], remedy: str, without: str | None = None
) -> None:
    """Refuse a model that transformers had to complete: its answers say nothing about the checkpoint.

    :param where: The checkpoint.
    :param report: The `loading_info` of `from_pretrained`.
    :param remedy: What to do instead.
    :param without: Tensors with this in their names are not needed.
    :raises BadInputError: With the first tensor that is missing.
    """
    names = sorted(str(name) for kind in _RANDOM for name in report.get(kind) or ())
    names = [name for name in names if without is None or without not in name]
    if names:
        found = (
            f"transformers finds no numbers for {len(names)} tensors, first {names[0][:120]}, and fills "
            "them at random"
        )
        raise BadInputError(where, found, remedy)


def reason_of(error: Exception) -> str:
    """Return what a library says went wrong, on one line."""
    reason = " ".join(str(error).split())[:300] or "no reason given"
    return f"{type(error).__name__}: {reason}"


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers' bars and remarks off standard error, where ours are drawn.

    Its GGUF reader draws a bar that no setting silences, so standard error goes nowhere meanwhile.
    """
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
