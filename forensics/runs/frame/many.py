"""One command on several inputs: one after the other, in processes, or on a Dask cluster.

Every input has a run and a folder of its own, which are those of the command on this input alone. What fails
stops nothing else; a folder that holds the finished run already is left as it is, so that the same call takes
up an interrupted one. Neither the order of the inputs nor the number of processes moves anything in a folder
but times and memory.

joblib's loky processes share the processor: each gets its part of the cores, unless the environment
(`OMP_NUM_THREADS` and its like) says how many threads there are to be.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BadInputError, ForensicsError, MissingExtraError
from forensics.progress import Progress, Stage
from forensics.runs.frame.cluster import cluster
from forensics.runs.frame.manifest import shared_process

if TYPE_CHECKING:
    from forensics.runs.frame.result import Result

__all__ = ["Attempt", "Call", "Task", "UnexpectedError", "attempts"]

#: A public function such as `fx.scan`, or one that calls it: takes what is examined, and the options by name.
Call = Callable[..., "Result[Any]"]
#: The extra that brings joblib and Dask.
_EXTRA = "many"
#: Plots are drawn with settings that a process has once, so that a worker's threads take turns.
_ONE_AT_A_TIME = threading.Lock()


class UnexpectedError(Exception):
    """An error that is no `ForensicsError`, as text: not every exception can leave its process."""


@dataclass(frozen=True)
class Task:
    """One input and where its run is kept."""

    #: As the user named it.
    target: str
    folder: Path
    #: The command for this input alone, for the manifest; None for a call from Python.
    command_line: Sequence[str] | None = None


@dataclass(frozen=True)
class Attempt:
    """How one of the runs went."""

    task: Task
    #: Why it failed; None: its folder holds the result.
    error: Exception | None = None
    #: The traceback of that.
    trace: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def attempts(
    call: Call,
    tasks: Sequence[Task],
    options: Mapping[str, object],
    *,
    jobs: int = 1,
    dask: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Attempt]:
    """Yield how each of the runs went, as they end.

    :param call: Runs the command.
    :param tasks: The inputs, every one with a folder of its own.
    :param options: What is handed to `call` besides input, folder, command line and progress.
    :param jobs: Processes; 1: this one.
    :param dask: Address of a Dask scheduler whose workers do it; they must see the same paths. A worker does
        one at a time, whatever its number of threads.
    :param progress: Where to report. The stages of the single runs are shown where they run in this process.
    :raises OptionError: If no scheduler answers at `dask`.
    :raises MissingExtraError: If a library for `jobs` or `dask` is not installed.
    """
    heard = progress or Progress()
    jobs = min(jobs, len(tasks))
    if dask is not None:
        ended = _on_cluster(partial(_attempt_away, call, options, Path.cwd()), tasks, dask)
    elif jobs > 1:
        ended = _in_processes(partial(_attempt_away, call, options, Path.cwd()), tasks, jobs)
    else:
        ended = (_attempt(call, options, task, _Named(task.target, heard)) for task in tasks)
    for attempt in ended:
        for note in attempt.notes:
            heard.note(f"{attempt.task.target}: {note}")
        for warning in attempt.warnings:
            heard.warn(f"{attempt.task.target}: {warning}")
        yield attempt


def _attempt(call: Call, options: Mapping[str, object], task: Task, progress: Progress) -> Attempt:
    """Run one and return how it went."""
    try:
        with _ONE_AT_A_TIME, shared_process():
            call(task.target, out=task.folder, command_line=task.command_line, progress=progress, **options)
    except (ForensicsError, MemoryError) as error:
        return Attempt(task, error, traceback.format_exc())
    except Exception as error:  # a bug met by one input shall not cost the others
        named = UnexpectedError(f"{type(error).__name__}: {error}")
        return Attempt(task, named, traceback.format_exc())
    return Attempt(task)


def _attempt_away(call: Call, options: Mapping[str, object], place: Path, task: Task) -> Attempt:
    """Do the same in a process that somebody else started; what it says goes along with the outcome."""
    # joblib bounds the threads of BLAS, OpenMP and numba; the tokenizers' have a variable of their own.
    if "OMP_NUM_THREADS" in os.environ:
        os.environ.setdefault("RAYON_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
    said = _Kept()
    with chdir(place):
        attempt = _attempt(call, options, task, said)
    return replace(attempt, notes=tuple(said.notes), warnings=tuple(said.warnings))


def _in_processes(work: Callable[[Task], Attempt], tasks: Sequence[Task], jobs: int) -> Iterator[Attempt]:
    """Run them in processes of this machine."""
    try:
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError
    except ImportError as error:
        raise MissingExtraError("joblib", _EXTRA, "running several at a time") from error
    do = delayed(work)
    left = {task.folder: task for task in tasks}
    try:
        unordered = Parallel(jobs, batch_size=1, return_as="generator_unordered")
        for attempt in unordered(do(task) for task in tasks):
            del left[attempt.task.folder]
            yield attempt
    except TerminatedWorkerError:
        pass  # a process was killed, and all of them with it; whose input it was, shows when each is alone
    for task in left.values():
        try:
            (attempt,) = Parallel(n_jobs=2)([do(task)])
        except TerminatedWorkerError:
            attempt = Attempt(task, _ended(task))
        yield attempt


def _on_cluster(work: Callable[[Task], Attempt], tasks: Sequence[Task], address: str) -> Iterator[Attempt]:
    """Run them on the workers of a Dask scheduler."""
    with cluster(address, _EXTRA, "running on a Dask cluster") as client:
        from distributed import KilledWorker, as_completed

        futures = {client.submit(work, task, pure=False): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield future.result()
            except KilledWorker:
                yield Attempt(futures[future], _ended(futures[future]))


def _ended(task: Task) -> BadInputError:
    return BadInputError(
        task.target,
        "the process that examined it was ended from outside",
        "the usual reason is want of memory: use a machine with more of it, or a smaller `batch_size`",
    )


class _Named(Progress):
    """Passes everything on under the name of what is examined, and keeps the seconds to itself."""

    def __init__(self, name: str, to: Progress) -> None:
        super().__init__()
        self._name, self._to = name, to

    def note(self, message: str) -> None:
        self._to.note(f"{self._name}: {message}")

    def warn(self, message: str) -> None:
        self._to.warn(f"{self._name}: {message}")

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        return self._to.open_stage(f"{self._name}: {name}", total, unit)

    def close_stage(self, stage: Stage) -> None:
        self._to.close_stage(stage)


class _Kept(Progress):
    """Keeps what is said until it can be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)
