from __future__ import annotations

import io

import pytest
from rich.console import Console

from forensics.cli.frame import terminal
from forensics.cli.frame.terminal import (
    BarProgress,
    LineProgress,
    QuietProgress,
    amount,
    duration,
    make_progress,
)
from forensics.progress import Progress


def _work(progress: Progress) -> None:
    progress.note("about 3 minutes")
    progress.warn("rows are [bold]equal[/bold]")
    with progress.stage("verify", 10, "tokens") as stage:
        for _ in range(10):
            stage.advance(1, verified=3)
        stage.set_total(12)


def test_a_pipe_hears_one_line_per_stage(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    _work(progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[:2] == ["note: about 3 minutes", "warning: rows are [bold]equal[/bold]"]
    assert lines[2].startswith("verify: 10 tokens, verified 3, ")
    assert "verify" in progress.seconds


def test_a_quiet_run_hears_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    _work(QuietProgress())
    assert capsys.readouterr().err == "warning: rows are [bold]equal[/bold]\n"


def test_bars_draw_stages_that_last_and_leave_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_PATIENCE", 0.0)
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    progress = BarProgress(console)
    _work(progress)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "rows are [bold]equal[/bold]" in text
    assert "verify: 10 tokens, verified 3, " in text


def test_bars_say_nothing_of_stages_that_are_over_at_once() -> None:
    console = Console(file=io.StringIO(), width=120)
    progress = BarProgress(console)
    with progress.stage("outer"), progress.stage("read", 1, "files") as stage:
        stage.advance()
    assert console.file.getvalue().strip() == ""  # type: ignore[attr-defined]


def test_the_face_fits_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(make_progress(quiet=True), QuietProgress)
    assert type(make_progress()) is LineProgress


def test_amounts_and_durations_read_as_one_says_them() -> None:
    assert [amount(3 * 2**30, "bytes"), amount(5 * 2**20, "bytes"), amount(1200, "tokens")] == [
        "3.0 GiB", "5 MiB", "1,200 tokens",
    ]  # fmt: skip
    assert [duration(0.04), duration(59.94), duration(75), duration(7322)] == [
        "0.0 s", "59.9 s", "1 min 15 s", "2 h 02 min",
    ]  # fmt: skip
