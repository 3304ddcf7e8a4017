"""Several inputs: a hundred checkpoints of which some are damaged, in processes and on a cluster."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.errors import BadInputError, MissingExtraError, OptionError
from forensics.progress import Progress
from forensics.runs.frame.many import Attempt, Task, UnexpectedError, attempts
from tests.extras import need
from tests.tiny_checkpoints import contents, scan_without_plots, write_checkpoint

DAMAGED = {
    "m007": lambda folder: os.truncate(folder / "model.safetensors", 300),
    "m042": lambda folder: (folder / "tokenizer.json").write_text("{"),
    "m099": lambda folder: (folder / "config.json").write_text("[1]"),
}
OPTIONS = {"verify": False}


def tasks_of(folders: Sequence[Path], out: Path) -> list[Task]:
    return [Task(str(folder), out / folder.name, ["forensics", "scan", folder.name]) for folder in folders]


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A hundred checkpoints, three of them damaged."""
    place = tmp_path_factory.mktemp("hundred")
    folders = [
        write_checkpoint(place / f"m{i:03d}", seed=i, merges=4 if i % 10 == 0 else 8) for i in range(100)
    ]
    for name, damage in DAMAGED.items():
        damage(place / name)
    return folders


@pytest.fixture(scope="module")
def scanned(hundred: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Attempt]]:
    """The hundred, scanned in two processes."""
    need("joblib")
    out = tmp_path_factory.mktemp("scanned")
    return out, list(attempts(scan_without_plots, tasks_of(hundred, out), OPTIONS, jobs=2))


@pytest.mark.slow
def test_damaged_checkpoints_fail_with_their_reason_and_cost_the_others_nothing(
    hundred: list[Path], scanned: tuple[Path, list[Attempt]]
) -> None:
    out, ended = scanned
    assert sorted(attempt.task.target for attempt in ended) == sorted(map(str, hundred))
    failed = {attempt.task.folder.name: attempt.error for attempt in ended if attempt.error is not None}
    assert set(failed) == set(DAMAGED)
    for name, file in (("m007", "model.safetensors"), ("m042", "tokenizer.json"), ("m099", "config.json")):
        assert isinstance(failed[name], BadInputError)
        assert file in str(failed[name])
    assert {path.name for path in out.iterdir()} == {each.name for each in hundred} - set(DAMAGED)


@pytest.mark.slow
def test_the_index_has_all_that_is_sound_and_the_two_vocabularies(
    hundred: list[Path], scanned: tuple[Path, list[Attempt]]
) -> None:
    found = fx.index(scanned[0]).record
    assert [each.folder for each in found.runs] == [e.name for e in hundred if e.name not in DAMAGED]
    assert found.left_out == ()
    short, long = found.vocabularies
    assert (short.pieces, short.folders) == (260, tuple(f"m{i:03d}" for i in range(0, 100, 10)))
    assert (long.pieces, len(long.folders), long.begins_with, long.more) == (264, 87, short.number, 4)


@pytest.mark.slow
def test_neither_order_nor_processes_move_a_byte(
    hundred: list[Path], scanned: tuple[Path, list[Attempt]], tmp_path: Path
) -> None:
    some = hundred[:6]
    backwards = list(attempts(scan_without_plots, tasks_of(some[::-1], tmp_path), OPTIONS))
    assert [attempt.task.folder.name for attempt in backwards] == [each.name for each in some[::-1]]
    for folder in some:
        assert contents(tmp_path / folder.name) == contents(scanned[0] / folder.name)


@pytest.mark.slow
def test_a_second_call_takes_up_what_the_first_left(
    hundred: list[Path], scanned: tuple[Path, list[Attempt]]
) -> None:
    out, _ = scanned
    first, second = hundred[:2]
    before = (out / first.name / "summary.json").stat().st_mtime_ns
    (out / second.name / "tokens.parquet").unlink()
    heard = Heard()
    assert not [
        a.error for a in attempts(scan_without_plots, tasks_of([first, second], out), OPTIONS, progress=heard)
        if a.error
    ]  # fmt: skip
    assert (out / first.name / "summary.json").stat().st_mtime_ns == before
    assert (out / second.name / "tokens.parquet").exists()
    assert [note for note in heard.said if note.startswith(f"note {first}: ") and "already" in note]


class Heard(Progress):
    """Keeps notes and warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(f"note {message}")

    def warn(self, message: str) -> None:
        self.said.append(f"warning {message}")


def pretend(target: str, *, out: Path, progress: Progress, **_: Any) -> None:
    """Stand in for a command: the input says what happens to it."""
    if target == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if target == "bug":
        raise ZeroDivisionError("division by zero")
    if target == "bad":
        raise BadInputError("bad", "broken", "mend it")
    progress.note("a note")
    progress.warn("a warning")
    out.mkdir(parents=True, exist_ok=True)
    (out / "done").write_text(str(Path.cwd()))


def pretended(out: Path, *targets: str) -> list[Task]:
    return [Task(target, out / target) for target in targets]


@pytest.fixture(params=["here", "processes", "cluster"])
def engine(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What makes `attempts` run in each of the three ways."""
    if request.param == "here":
        yield {}
    elif request.param == "processes":
        need("joblib")
        yield {"jobs": 2}
    else:
        distributed = need("distributed")
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster:
            yield {"dask": cluster.scheduler_address}


def test_errors_stay_apart_and_what_is_said_has_a_name(engine: dict[str, Any], tmp_path: Path) -> None:
    heard = Heard()
    tasks = pretended(tmp_path, "one", "bad", "bug", "two")
    ended = {each.task.target: each for each in attempts(pretend, tasks, {}, progress=heard, **engine)}
    assert set(ended) == {"one", "bad", "bug", "two"}
    assert ended["one"].error is None and ended["two"].error is None
    assert str(ended["bad"].error) == "bad: broken; mend it"
    assert isinstance(ended["bug"].error, UnexpectedError)
    assert str(ended["bug"].error) == "ZeroDivisionError: division by zero"
    assert "in pretend" in ended["bug"].trace
    said = {f"{what} {name}: a {what}" for what in ("note", "warning") for name in ("one", "two")}
    assert set(heard.said) == said
    assert (tmp_path / "two" / "done").read_text() == str(Path.cwd())


def test_a_killed_process_costs_its_own_input_alone(tmp_path: Path) -> None:
    need("joblib")
    tasks = pretended(tmp_path, "a", "killed", "b", "c")
    ended = {each.task.target: each.error for each in attempts(pretend, tasks, {}, jobs=2)}
    assert {name for name, error in ended.items() if error is not None} == {"killed"}
    assert "was ended from outside" in str(ended["killed"])


def test_what_is_not_installed_or_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("distributed")
    tasks = pretended(tmp_path, "a", "b")
    with pytest.raises(OptionError, match="no Dask scheduler answers at 'nonsense'"):
        list(attempts(pretend, tasks, {}, dask="nonsense"))
    monkeypatch.setitem(__import__("sys").modules, "joblib", None)
    with pytest.raises(MissingExtraError, match=r"forensics\[many\]"):
        list(attempts(pretend, tasks, {}, jobs=2))


@pytest.mark.slow
def test_the_manifest_has_the_line_of_one_input_and_the_libraries_that_are_there(
    scanned: tuple[Path, list[Attempt]],
) -> None:
    manifests = [json.loads(path.read_text()) for path in scanned[0].glob("*/manifest.json")]
    assert {tuple(each["command_line"][2:]) for each in manifests} == {
        (path.name,) for path in scanned[0].iterdir()
    }
    assert len({json.dumps(each["versions"]) for each in manifests}) == 1
