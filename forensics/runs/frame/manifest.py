"""Where a run's numbers come from: every file by its hash, every library by its version."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import metadata
from pathlib import Path

from forensics.errors import BadInputError
from forensics.progress import Progress, Stage
from forensics.runs.frame.outcome import Inputs
from forensics.schema.manifest import FileEntry, Manifest
from forensics.schema.options import options_of
from forensics.schema.record import JsonValue

__all__ = ["LIBRARIES", "build_manifest", "hash_inputs", "machine", "shared_process", "versions"]

#: Import name -> distribution, of every library that can touch a number or a table.
LIBRARIES = {
    "gguf": "gguf",
    "highspy": "highspy",
    "huggingface_hub": "huggingface-hub",
    "jinja2": "jinja2",
    "joblib": "joblib",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "pulp": "pulp",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sentencepiece": "sentencepiece",
    "tokenizers": "tokenizers",
    "onnxruntime": "onnxruntime",
    "torch": "torch",
    "transformers": "transformers",
}
_BLOCK = 4 * 2**20
#: sha256 releases the interpreter lock; beyond four threads a disk is the limit, not the processor.
_MOST_THREADS = 4
#: Whether runs of others share the process, so that what is imported says nothing of one of them.
_SHARED: ContextVar[bool] = ContextVar("shared", default=False)


def build_manifest(
    files: Sequence[FileEntry],
    *,
    options: object,
    command_line: Sequence[str] | None = None,
    seed: int | None = None,
    fingerprint: str | None = None,
) -> Manifest:
    """Return the manifest of a run; call it after the work, when every library used is imported.

    :param files: Every file that was read, as `hash_inputs` gives them.
    :param options: The dataclass of options; all but paths are listed, defaults included.
    :param command_line: The arguments as typed; None for a call from Python.
    :param seed: What random choices were drawn from.
    :param fingerprint: The hash of everything the results depend on, by which a finished run is known.
    """
    return {
        "fingerprint": fingerprint,
        "files": list(files),
        "versions": versions(),
        "command_line": None if command_line is None else list(command_line),
        "seed": seed,
        "parameters": {
            name: getattr(options, name)
            for name, declared, _ in options_of(type(options))
            if not declared.path
        },
        "machine": machine(),
    }


def hash_inputs(
    inputs: Inputs, progress: Progress | None = None
) -> tuple[list[FileEntry], dict[str, list[str]]]:
    """Return an entry for every file, by role and path, and role -> sha256 of its files.

    :raises BadInputError: If a file cannot be read.
    """
    found = _hash_files({file for files in inputs.files.values() for file in files}, progress or Progress())
    entries: list[FileEntry] = []
    contents = {}
    for role, files in inputs.files.items():
        digests = [found[file][1] for file in files]
        contents[role] = sorted(digests) if isinstance(files, frozenset) else digests
        entries += _entries(role, {file: found[file] for file in sorted(files)})
    return entries, contents


def _entries(role: str, found: dict[Path, tuple[int, str]]) -> list[FileEntry]:
    """Return the entries of one role, their paths relative to what they have in common."""
    common = Path(os.path.commonpath([file.absolute().parent for file in found])) if found else Path()
    return [
        {"role": role, "path": file.absolute().relative_to(common).as_posix(), "size": size, "sha256": digest}
        for file, (size, digest) in found.items()
    ]


def _hash_files(files: Iterable[Path], progress: Progress) -> dict[Path, tuple[int, str]]:
    """Return size in bytes and sha256 of every file; each is read once, streamed."""
    paths = sorted(set(files))
    workers = min(os.cpu_count() or 1, _MOST_THREADS, max(1, len(paths)))
    with (
        progress.stage("hash files", sum(_size(path) for path in paths), "bytes") as stage,
        ThreadPoolExecutor(workers) as pool,
    ):
        hashes = list(pool.map(lambda path: _sha256(path, stage), paths))
    return dict(zip(paths, hashes, strict=True))


def _size(path: Path) -> int:
    """Return the size of a file in bytes."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _sha256(path: Path, stage: Stage) -> tuple[int, str]:
    """Return the number of bytes read and their hash."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                stage.advance(len(block))
    except OSError as error:
        raise _unreadable(path, error) from error
    return size, digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> BadInputError:
    return BadInputError(
        path, f"cannot be read for the manifest ({error.strerror})", "leave inputs in place during a run"
    )


def versions() -> dict[str, str]:
    """Return the version of Python, its Unicode, this project, and every known library imported so far.

    Of a run that shares its process (`shared_process`) those of every known library that is installed.
    """
    import forensics

    found = {
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,  # which characters are assigned, and to what
        "forensics": forensics.__version__,
    }
    for module, distribution in LIBRARIES.items():
        if module not in sys.modules and not _SHARED.get():
            continue
        try:
            found[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:  # vendored or run from a source tree: ask the module
            if module in sys.modules:
                found[distribution] = str(getattr(sys.modules[module], "__version__", "unknown"))
    return found


@contextmanager
def shared_process() -> Iterator[None]:
    """Mark runs as some of several in one process: their manifests do not depend on which came before."""
    before = _SHARED.set(True)
    try:
        yield
    finally:
        _SHARED.reset(before)


def machine() -> dict[str, JsonValue]:
    """Return what of the machine can move a number or a time; no name of a host or a person."""
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
    }


def _processor() -> str | None:
    """Return the processor's name; Linux keeps it where `platform` does not look."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no such file on other systems: ask platform
    return platform.processor() or None
