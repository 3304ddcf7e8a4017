"""`index`: every finished run under a folder on one page, and what is no finished run with its reason."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.catalogue.vocabularies import Beginnings, group
from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.report.kinds import kind_of
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.index.entry import run_entry, vocabulary_of
from forensics.runs.index.find import open_run, run_folders
from forensics.schema.index import (
    LEFT_OUT_TABLE,
    RUNS_TABLE,
    IndexOptions,
    IndexSummary,
    LeftOutEntry,
    RunEntry,
    VocabularyEntry,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["index"]


def index(
    folder: str | Path,
    *,
    out: str | Path | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[IndexSummary]:
    """Return what the finished runs under a folder found, and which folders hold none and why.

    >>> import forensics as fx                                              # doctest: +SKIP
    >>> fx.index("results").tables["runs"].sort_values("unknown_in_text")    # doctest: +SKIP

    :param folder: A folder above those that commands wrote.
    :param out: Folder for data and reports; an index that is there is replaced. None keeps all in memory.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If there is no such folder, or no run below it.
    """
    settings = RunSettings.of(out, overwrite=True, command_line=command_line)
    heard = progress or Progress()
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise BadInputError(root, "no such folder", "give a folder above those that forensics wrote")
    return run("index", IndexOptions(), lambda: _prepare(root, settings.out, heard), settings, heard)


@dataclass
class _Found:
    """What has been read so far."""

    runs: list[RunEntry] = field(default_factory=list)
    left_out: list[LeftOutEntry] = field(default_factory=list)
    vocabularies: dict[str, Beginnings] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)


def _prepare(root: Path, out: Path | None, progress: Progress) -> Job:
    """Read every run; one at a time is in memory."""
    folders = [each for each in run_folders(root) if out is None or not each.samefile(out)]
    if not folders:
        raise BadInputError(
            root, "holds no run of forensics", "give a folder above those that forensics wrote"
        )
    found = _Found()
    with progress.stage("read runs", len(folders), "runs") as stage:
        for folder in folders:
            _read(folder, root, found)
            stage.advance(damaged=len(found.left_out))
    files = frozenset(found.files)
    return Job(Inputs({"results": files}), lambda _: _outcome(root, out, found))


def _read(folder: Path, root: Path, found: _Found) -> None:
    """Add one run to what has been read."""
    place = folder.relative_to(root).as_posix()
    try:
        results = open_run(folder)
        entry = run_entry(results, folder, root)
        vocabulary = vocabulary_of(results)
    except BadInputError as error:
        # The folder has a column of its own, and where it lies is no matter of the index.
        said = str(error).removeprefix(f"{folder}: ").replace(f"{folder}{os.sep}", "")
        found.left_out.append(LeftOutEntry(place, said))
        return
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # a table of other columns or words
        said = " ".join(f"{type(error).__name__}: {error}".split())
        found.left_out.append(LeftOutEntry(place, f"its tables are damaged ({said}); run the command again"))
        return
    found.runs.append(entry)
    if vocabulary is not None:
        found.vocabularies[entry.folder] = vocabulary
    tables = (folder / f"{table.name}.parquet" for table in kind_of(entry.command).tables)
    found.files |= {folder / "summary.json", *tables}
    if (folder / "manifest.json").exists():
        found.files.add(folder / "manifest.json")


def _outcome(root: Path, out: Path | None, found: _Found) -> Outcome:
    vocabularies = _vocabularies(found.vocabularies)
    numbers = {place: each.number for each in vocabularies for place in each.folders}
    runs = [replace(each, vocabulary=numbers.get(each.folder)) for each in found.runs]
    summary = IndexSummary(
        kind="index",
        model=root.resolve().name,
        root="." if out is None else Path(os.path.relpath(root, out)).as_posix(),
        commands=dict(sorted(Counter(each.command for each in runs).items())),
        verdicts=_verdicts(runs),
        runs=tuple(runs),
        left_out=tuple(found.left_out),
        vocabularies=vocabularies,
        notes=(),
        seconds={},
        peak_rss_bytes=0,
    )
    return Outcome({RUNS_TABLE.name: _table(runs), LEFT_OUT_TABLE.name: _left_out(found.left_out)}, summary)


def _vocabularies(of: Mapping[str, Beginnings]) -> tuple[VocabularyEntry, ...]:
    grouped = group(of)
    return tuple(
        VocabularyEntry(
            number,
            each.pieces,
            each.names,
            None if each.begins_with is None else each.begins_with + 1,
            None if each.begins_with is None else each.pieces - grouped[each.begins_with].pieces,
        )
        for number, each in enumerate(grouped, 1)
    )


def _verdicts(runs: Sequence[RunEntry]) -> dict[str, int]:
    names = ("strong", "weak", "inconclusive", "rejected")
    return {name: sum(getattr(each, name) or 0 for each in runs) for name in names}


def _table(runs: Sequence[RunEntry]) -> pd.DataFrame:
    import pandas as pd

    rows = [{**asdict(each), "numbers": json.dumps(dict(each.numbers))} for each in runs]
    frame = pd.DataFrame(rows, columns=[each.name for each in fields(RunEntry)])
    whole = {column.name for column in RUNS_TABLE.columns if column.type.startswith("int")}
    return frame.astype(dict.fromkeys(sorted(whole), "Int64"))


def _left_out(entries: Sequence[LeftOutEntry]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(each) for each in entries], columns=list(LEFT_OUT_TABLE.names))
