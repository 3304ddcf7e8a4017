"""`compare`: tokenizers, checkpoints or finished scans, every one against the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.progress import Progress
from forensics.runs.compare.findings import pair_findings
from forensics.runs.compare.lengths import tokens_per_line
from forensics.runs.compare.pair import ComparedPair, scan_pair, tokenizer_pair
from forensics.runs.compare.sides import OpenScan, Side, open_sides
from forensics.runs.compare.tables import all_pairs, findings_table
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.tokenizer_facts import tokenizer_facts
from forensics.schema.compare import ComparedInput, CompareOptions, CompareSummary
from forensics.sources.texts.parallel_text import ParallelText

__all__ = ["compare"]


def compare(
    *compared: str | Path,
    parallel: str | Path = "demo",
    layers: int = 2,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[CompareSummary]:
    """Return what the first has that the others lack, and the reverse; who descends from whom.

    >>> import forensics as fx                                        # doctest: +SKIP
    >>> fx.compare("gpt2", "gpt-neox-20b").record.pairs[0].lineage     # doctest: +SKIP

    :param compared: Two or more tokenizers or checkpoints (a file, a folder, a hub id or `demo`), or folders
        of finished scans.
    :param parallel: Parallel text to compare lengths on: a folder, or `demo`.
    :param layers: Of how many layers hidden units are paired, for checkpoints.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If one of them cannot be read, or scans and others are mixed.
    """
    options = CompareOptions(parallel=str(parallel), layers=layers)
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()
    return run("compare", options, lambda: _prepare(compared, options, settings, heard), settings, heard)


def _prepare(
    compared: Sequence[str | Path], options: CompareOptions, settings: RunSettings, progress: Progress
) -> Job:
    """Open everything that is compared, and the text."""
    from forensics.sources.texts.parallel_text import read_parallel_text

    with progress.stage("open"):
        sides = open_sides(compared, settings.offline, progress)
        scans = isinstance(sides[0].opened, OpenScan)
        text = None if scans else read_parallel_text(options.parallel)
    files = {role: found for side in sides for role, found in side.files().items()}
    if text is not None:
        files["parallel text"] = frozenset(text.files)
    comparison = _Comparison(sides, text, options, progress)
    return Job(Inputs(files), comparison.work)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """A comparison whose sides are open."""

    sides: tuple[Side, ...]
    text: ParallelText | None
    options: CompareOptions
    progress: Progress

    def work(self, _: Journal) -> Outcome:
        """Put every other side beside the first."""
        sides, pairs = self._scans() if self.text is None else self._tokenizers(self.text)
        first, *others = sides
        found = [
            (pair.summary.other, finding)
            for other, pair in zip(others, pairs, strict=True)
            for finding in pair_findings(first, other, pair.summary)
        ]
        found.sort(key=lambda each: (-each[1].level.severity, each[1].rule, each[0]))
        tables = all_pairs([pair.tables for pair in pairs])
        return Outcome({**tables, "findings": findings_table(found)}, self._summary(sides, pairs))

    def _scans(self) -> tuple[tuple[Side, ...], list[ComparedPair]]:
        first, *others = self.sides
        with self.progress.stage("scans"):
            return self.sides, [scan_pair(first, other) for other in others]

    def _tokenizers(self, text: ParallelText) -> tuple[tuple[Side, ...], list[ComparedPair]]:
        with self.progress.stage("vocabulary", len(self.sides), "tokenizers") as stage:
            sides = []
            for side in self.sides:
                sides.append(side.with_vocabulary())
                stage.advance()
        first, *others = sides
        lengths = {}
        with self.progress.stage("lengths", len(sides), "tokenizers") as stage:
            for side in sides:
                lengths[side.letter] = tokens_per_line(*side.tokenizer, text)
                stage.advance()
        pairs = [
            tokenizer_pair(
                first, other, (lengths[first.letter], lengths[other.letter]), self.options, self.progress
            )
            for other in others
        ]
        return tuple(sides), pairs

    def _summary(self, sides: Sequence[Side], pairs: Sequence[ComparedPair]) -> CompareSummary:
        from forensics.auditing.premium import LINES

        notes = [note for side in sides for note in _notes(side)]
        return CompareSummary(
            kind="compare",
            model=", ".join(side.name for side in sides),
            inputs=tuple(map(_input, sides)),
            pairs=tuple(pair.summary for pair in pairs),
            lengths_variant=None if self.text is None else LINES,
            notes=tuple(notes),
            seconds={},
            peak_rss_bytes=0,
        )


def _input(side: Side) -> ComparedInput:
    facts = None if isinstance(side.opened, OpenScan) else tokenizer_facts(side.opened.source)
    return ComparedInput(side.letter, side.name, side.what, facts)


def _notes(side: Side) -> list[str]:
    if isinstance(side.opened, OpenScan):
        return []
    notes = [f"{side.name}: {note}" for note in side.opened.source.notes]
    if side.opened.weights_problem is not None:
        notes.append(f"{side.name}: its weights are left out ({side.opened.weights_problem})")
    return notes
