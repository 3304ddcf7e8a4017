"""A checkpoint as a model that runs: transformers does the work, this says what it may do.

Nothing is downloaded (the files are here already), no code from a model folder runs unless the caller
says so, and pickled weights go through torch's restricted loader, which is transformers' own default and
is asked for all the same.

Weights that do not fit one accelerator are spread by accelerate over all there are, then over memory, then
over files: slower, and the same numbers.

Left out: loading in 8 or 4 bits (a changed model is not evidence about the released one).
"""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError, ForensicsError, MissingExtraError
from forensics.sources.gguf.file import read_gguf
from forensics.sources.gguf.slim import write_slim_gguf
from forensics.sources.interface import Checkpoint
from forensics.sources.runtimes.transformers_runtime import (
    check_dtype,
    choose_device,
    import_libraries,
    loading_options,
    quiet,
    reason_of,
    refuse_random_weights,
    without_named_code,
)

__all__ = ["load_causal_lm", "position_count"]

#: Share of the free memory that the weights may fill as float32 before `auto` takes bfloat16.
_MEMORY_SHARE = 0.6
#: Share of an accelerator's free memory that the weights may fill before they are spread.
_DEVICE_SHARE = 0.85


def load_causal_lm(
    checkpoint: Checkpoint,
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    trust_remote_code: bool = False,
    device_map: Mapping[str, str | int] | None = None,
) -> Any:
    """Return the checkpoint as a transformers model in evaluation mode, on its device.

    :param checkpoint: An opened checkpoint of a causal language model: a GGUF file or a folder.
    :param device: A torch device, or `auto`: an accelerator if torch sees one, else the CPU.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`. On a CPU `auto` is float32, unless the
        weights would not fit in memory: rounding to 8 bits moves probabilities by a few percent. On an
        accelerator it is the dtype the weights are stored in.
    :param threads: Threads of torch on the CPU, for the whole process; None leaves them alone.
    :param trust_remote_code: Allow Python code that comes with the model to run.
    :param device_map: Module name -> device, as accelerate takes it, in place of `device`; None: one device,
        or several where `device` is `auto` and one has no room for the weights.
    :raises MissingExtraError: If torch, transformers or accelerate is not installed.
    :raises ForensicsError: If the model cannot be run; the message says why.
    """
    transformers, torch = import_libraries()
    if not checkpoint.is_causal_lm:
        raise BadInputError(
            checkpoint.path,
            "no configuration and weights of a causal language model",
            "name the model's folder or GGUF file, or scan it without verification",
        )
    check_dtype(dtype)
    target = choose_device(torch, device)
    if threads is not None:
        torch.set_num_threads(threads)
    computed = _dtype(torch, checkpoint, target, dtype)
    spread: Mapping[str, str | int] | str | None = device_map
    if spread is None and device == "auto" and not _fits(torch, checkpoint, target, computed):
        spread = "auto"
    options = loading_options(transformers, computed, trust_remote_code=trust_remote_code)
    try:
        if spread is None:
            return _load(transformers, checkpoint, options).to(target).eval()
        return _load_spread(transformers, checkpoint, options | {"device_map": spread}).eval()
    except ForensicsError:
        raise
    except ImportError as error:  # e.g. a quantisation kernel
        package = error.name or str(error).split("\n", 1)[0]
        raise MissingExtraError(package, "models", f"running {checkpoint.name}") from error
    # A model's files decide which of transformers' and torch's thousand checks fails, and with what;
    # whichever it is, the weights can still be scanned and the reader wants its words.
    except Exception as error:
        found = f"transformers cannot run it ({reason_of(error)})"
        raise BadInputError(checkpoint.path, found, "scan it without verification") from error


def _load(transformers: Any, checkpoint: Checkpoint, options: dict[str, Any]) -> Any:
    """Load a checkpoint of either layout, and refuse what the library had to make up."""
    with quiet(transformers):
        if checkpoint.format == "gguf":
            model, report = _load_gguf(transformers, _gguf_file(checkpoint), options)
        else:
            folder = _file_of(checkpoint, "config.json").parent
            model, report = _load_folder(transformers, folder, options)
    refuse_random_weights(checkpoint.path, report, "scan the weights alone, or complete the checkpoint")
    return model


def _load_spread(transformers: Any, checkpoint: Checkpoint, options: dict[str, Any]) -> Any:
    """Load a checkpoint over several devices; what goes into files stays there as long as the model lives."""
    if importlib.util.find_spec("accelerate") is None:
        raise MissingExtraError("accelerate", "models", "spreading a model over devices")
    files = tempfile.TemporaryDirectory(prefix="forensics-offload-", ignore_cleanup_errors=True)
    try:
        model = _load(transformers, checkpoint, options | {"offload_folder": files.name})
    except BaseException:
        files.cleanup()
        raise
    weakref.finalize(model, files.cleanup)
    return model


def position_count(model: Any) -> int | None:
    """Return how many positions a model was made for, None where its configuration does not say."""
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    counts = (getattr(config, name, None) for name in ("max_position_embeddings", "n_positions", "n_ctx"))
    return next((count for count in counts if isinstance(count, int) and count > 0), None)


def _load_folder(transformers: Any, folder: Path, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Load a Hugging Face folder; of a model of several parts, the class that has its language model."""
    trust = options["trust_remote_code"]
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
    without_named_code(config)
    kind = transformers.AutoModelForCausalLM
    has_own_class = trust and "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {})
    if not has_own_class and type(config) not in kind._model_mapping:
        kind = transformers.AutoModelForImageTextToText
    loaded: tuple[Any, dict[str, Any]] = kind.from_pretrained(
        folder, config=config, output_loading_info=True, **options
    )
    return loaded


def _gguf_file(checkpoint: Checkpoint) -> Path:
    """Return the one GGUF file of a checkpoint."""
    parts = [file for file in checkpoint.files if file.suffix == ".gguf"]
    if len(parts) > 1:
        found = f"a model split into {len(parts)} GGUF files, of which transformers reads one"
        raise BadInputError(checkpoint.path, found, "join them with llama-gguf-split --merge")
    return _file_of(checkpoint, ".gguf")


def _load_gguf(transformers: Any, path: Path, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Load a GGUF file through transformers, past its tokenizer where there is room for a copy."""
    if importlib.util.find_spec("accelerate") is None:  # transformers refuses to read GGUF without it
        raise MissingExtraError("accelerate", "models", "running a GGUF file")
    with tempfile.TemporaryDirectory(prefix="forensics-") as scratch:
        rows = None
        if shutil.disk_usage(scratch).free > 1.1 * path.stat().st_size:
            rows = read_gguf(path).tensors["token_embd.weight"].shape[0]
            write_slim_gguf(path, Path(scratch) / "model.gguf")
            path = Path(scratch) / "model.gguf"
        where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
        config = transformers.AutoConfig.from_pretrained(**where, local_files_only=True)
        if rows is not None:
            config.vocab_size = rows  # which transformers would have counted in the tokenizer
        loaded: tuple[Any, dict[str, Any]] = transformers.AutoModelForCausalLM.from_pretrained(
            **where, config=config, output_loading_info=True, **options
        )
        return loaded


def _file_of(checkpoint: Checkpoint, ending: str) -> Path:
    """Return the first file of the checkpoint whose name ends so."""
    for file in (*checkpoint.files, checkpoint.path, checkpoint.path / ending):
        if file.name.endswith(ending) and file.is_file():
            return file.absolute()
    raise BadInputError(
        checkpoint.path, f"no {ending} among its files", "name the model's folder or its GGUF file"
    )


def _dtype(torch: Any, checkpoint: Checkpoint, device: Any, dtype: str) -> Any:
    """Return a torch dtype, or `auto` for the one the weights are stored in."""
    if dtype != "auto":
        return getattr(torch, dtype)
    if device.type != "cpu":
        return torch.bfloat16 if checkpoint.format == "gguf" else "auto"
    bytes_needed = 4 * sum(math.prod(tensor.shape) for tensor in checkpoint.tensors.values())
    return torch.float32 if bytes_needed < _MEMORY_SHARE * _free_memory() else torch.bfloat16


def _fits(torch: Any, checkpoint: Checkpoint, target: Any, dtype: Any) -> bool:
    """Whether the weights find room on one device; a CPU's memory is all there is beside it."""
    if target.type != "cuda":
        return True
    if dtype == "auto":
        needed = sum(tensor.nbytes for tensor in checkpoint.tensors.values())
    else:
        numbers = sum(math.prod(tensor.shape) for tensor in checkpoint.tensors.values())
        needed = numbers * torch.empty(0, dtype=dtype).element_size()
    return bool(needed < _DEVICE_SHARE * torch.cuda.mem_get_info(target)[0])


def _free_memory() -> float:
    """Return the bytes of memory that are free, infinity where the system does not say."""
    if "SC_AVPHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return math.inf
    return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
