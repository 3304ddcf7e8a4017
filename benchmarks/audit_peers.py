"""Whole commands of other tools beside `forensics audit`, on the same tokenizer and the same lines.

Every program runs in a process of its own, in turn, so that what else the machine does falls on all of them.
What each computes is said beside its figures: none of them computes all that another does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from forensics.sources.texts.parallel_text import ParallelText, read_parallel_text

__all__ = ["PEERS", "beside_peers"]

#: Name of a peer -> the version that these commands are written for, and what it does and does not compute.
PEERS: Mapping[str, tuple[str, str]] = {
    "glotscope": (
        "0.1.0",
        "tokens, parity, Gini, Renyi, round trip and undecodable tokens; no words without a segmenter, no "
        "intervals, merges, added tokens, template, residues or GGUF; JSON, no report",
    ),
    "qtok": (
        "0.11",
        "kinds of pieces, scripts and languages by Unicode names, beside the vocabularies that it brings; "
        "encodes no text at all",
    ),
}
#: Not on any package index: git and uv only, with FLORES+ from the hub behind a login.
NOT_OBTAINABLE = {"TokEval": "not under its name on PyPI (tokeval, tokenizer-analysis-suite)"}
_OURS = "forensics audit"
_SAME_PART = "forensics, vocabulary and languages only"
_SAYS = {
    _OURS: "everything by default, residues, tables, plots and report included",
    _SAME_PART: "reachability, premiums with intervals, words, round trip; about what glotscope computes",
}
_CODE_OF_PART = """
import sys
from forensics.auditing.languages import audit_languages
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
source = open_tokenizer(sys.argv[1])
audit_languages(source, build_vocabulary(source), read_parallel_text().lines)
"""


@dataclass(frozen=True)
class Taken:
    """What one process took."""

    clock: float
    #: Seconds of all its threads, user and system.
    cpu: float
    peak_mib: float
    #: The last line of its errors where it failed.
    error: str | None = None


def beside_peers(tokenizer: Path, pythons: Mapping[str, str], repeats: int) -> None:
    """Run all programs in turn and print medians and ratios.

    :param tokenizer: A `tokenizer.json`.
    :param pythons: Peer -> the interpreter of an environment that has it.
    :param repeats: How often each is run.
    """
    with TemporaryDirectory() as place:
        commands = _commands(tokenizer, pythons, Path(place), read_parallel_text())
        taken: dict[str, list[Taken]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                taken[name].append(_run(command))
    base = taken[_OURS]
    print(f"whole commands on {tokenizer.parent.name}, medians of {repeats}, in turn")
    for name, runs in taken.items():
        said = _SAYS.get(name) or PEERS[name][1]
        if error := next((run.error for run in runs if run.error), None):
            print(f"  {name:42} failed: {error}")
            continue
        clock, cpu, peak = (
            median(getattr(run, field) for run in runs) for field in ("clock", "cpu", "peak_mib")
        )
        ratio = cpu / median(run.cpu for run in base)
        print(
            f"  {name:42} {clock:7.2f} s clock {cpu:7.2f} s CPU ({ratio:.2f} of ours), peak {peak:,.0f} MiB"
        )
        print(f"    {said}")
    for name in PEERS:
        if name not in pythons:
            print(f"  {name:42} not run: give the python that has it with --peer {name}=PYTHON")
    for name, why in NOT_OBTAINABLE.items():
        print(f"  {name:42} not run: {why}")


def _commands(
    tokenizer: Path, pythons: Mapping[str, str], place: Path, text: ParallelText
) -> dict[str, list[str]]:
    """Return program -> its command line."""
    out = str(place / "audit")
    found = {
        _OURS: [sys.executable, "-m", "forensics", "audit", str(tokenizer), "--out", out, "--overwrite"],
        _SAME_PART: [sys.executable, "-c", _CODE_OF_PART, str(tokenizer)],
    }
    if "glotscope" in pythons:
        folder = place / "flores_plus" / "embedded" / "devtest"
        folder.mkdir(parents=True)
        for language, lines in text.lines.items():
            (folder / f"{language}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        found["glotscope"] = [
            pythons["glotscope"], "-c", "import sys; from glotscope.cli import main; sys.exit(main())",
            "analyze", str(tokenizer), "--corpus", "flores_plus", "--corpus-root", str(place),
            "--corpus-version", "embedded", "--languages", ",".join(text.languages),
            "--parity-reference", "eng_Latn", "--gini", "--renyi-alpha", "2.5",
            "--renyi-normalizer", "observed", "--out", str(place / "glotscope.json"),
        ]  # fmt: skip
    if "qtok" in pythons:
        code = "from qtok.qtok import run_it; run_it()"
        options = ["-i", str(tokenizer), "-l", "this", "-o", str(place / "qtok")]
        found["qtok"] = [pythons["qtok"], "-c", code, *options]
    return found


def _run(command: Sequence[str]) -> Taken:
    """Run a program to its end."""
    with TemporaryDirectory() as place:
        errors = Path(place) / "errors"
        with errors.open("wb") as stream:
            begin = time.perf_counter()
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream
            )
            _, status, used = os.wait4(process.pid, 0)
            clock = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    error = (lines or ["no message"])[-1] if process.returncode else None
    return Taken(clock, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, error)
