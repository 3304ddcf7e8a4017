"""What the README shows is what the commands print; only times and the width of lines may differ.

The two examples that take minutes (`scan demo` with verification, `sticky demo`) are compared with the audits
under `results/`, of which the README says that they are these very runs.
"""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from forensics.cli.main import cli, run
from tests.readme import ROOT, example, examples, headline, python_block, rows, words

SCAN = ROOT / "results" / "SmolLM2-135M-Instruct"
STICKY = ROOT / "results" / "all-MiniLM-L6-v2"


@pytest.fixture
def workplace(tmp_path, monkeypatch, minilm_and_smollm2):
    """An empty folder to run the examples in, offline."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.fixture(scope="session")
def minilm_and_smollm2():
    from tests.sources.written_tokenizers import minilm, smollm2

    return minilm(), smollm2()


@pytest.mark.parametrize("shown", examples(), ids=lambda shown: shown.command)
def test_every_example_uses_options_that_the_command_has(shown):
    name, *rest = shown.arguments
    context = cli.make_context("forensics", [name, "--help"], resilient_parsing=True)
    command = cli.get_command(context, name)
    assert command is not None
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    assert {word for word in rest if word.startswith("--")} <= known


def test_tokens_prints_what_the_readme_shows(workplace, capsys):
    shown = example("forensics tokens demo")
    assert run(shown.arguments) == 0
    assert words(capsys.readouterr().out) == words(shown.output)


def test_index_prints_what_the_readme_shows(workplace, capsys):
    assert run(example("forensics tokens demo").arguments) == 0
    shown = example("forensics index results/demo-tokens")
    capsys.readouterr()
    assert run(shown.arguments) == 0
    assert words(capsys.readouterr().out) == words(shown.output)


@pytest.mark.slow
def test_compare_prints_what_the_readme_shows(workplace, capsys):
    shown = example("forensics compare demo demo")
    assert run(shown.arguments) == 0
    assert words(capsys.readouterr().out) == words(shown.output)


@pytest.mark.slow
def test_audit_prints_what_the_readme_shows(workplace, capsys):
    shown = example("forensics audit demo")
    assert run(shown.arguments) == 0
    assert words(capsys.readouterr().out) == words(shown.output)


@pytest.mark.slow
def test_mixture_prints_what_the_readme_shows(workplace, capsys):
    from tests.extras import need

    need("numba")
    shown = example("forensics mixture demo")
    assert run(shown.arguments) == 0
    assert words(capsys.readouterr().out) == words(shown.output)


def test_the_scan_shown_is_the_one_kept_in_results():
    shown = example("forensics scan demo").output
    report = (SCAN / "report.md").read_text("utf-8")
    assert f"> **{headline(shown)}**" in report
    assert len(rows(shown)) == 10
    for token, (_, *numbers) in rows(shown):
        lines = [line for line in report.splitlines() if line.startswith(f"| {token} | ")]
        cells = [[cell.strip().partition(", as #")[0] for cell in line.split("|")] for line in lines]
        assert any(all(is_shown(number, row) for number in numbers) for row in cells), token
    summary = json.loads((SCAN / "summary.json").read_text("utf-8"))
    counts, indicator = summary["counts"], summary["indicator"]
    assert words(
        f"indicator {indicator['name']}, "
        f"{indicator['n_candidates']:,} candidates at {indicator['percent']:g} %, "
        f"{indicator['data_driven']['n_below']:,} below the threshold found in the data "
        f"vocabulary {counts['single_byte']} single bytes, {counts['partial_utf8']} partial UTF-8, "
        f"{counts['special']} special"
    ) in words(shown)


def is_shown(value: str, row: list[str]) -> bool:
    """Whether a cell says the same; the terminal gives a probability two digits, the report three."""
    return value in row or any(is_close(value, cell) for cell in row)


def is_close(value: str, cell: str) -> bool:
    (bound, digits), (kept_bound, kept) = (
        (text.startswith("≥ "), text.removeprefix("≥ ")) for text in (value, cell)
    )
    try:
        return bound == kept_bound and math.isclose(float(digits), float(kept), rel_tol=0.05)
    except ValueError:
        return False


def test_the_reports_shown_are_those_kept_in_results():
    shown = example("forensics report results/demo").output.split()
    kept = {path.relative_to(SCAN).as_posix() for path in SCAN.rglob("*") if path.suffix != ".json"}
    assert {path.removeprefix("results/demo/") for path in shown} == kept - {"plots", "tokens.parquet"}


def test_the_sticky_tokens_shown_are_those_kept_in_results():
    shown = example("forensics sticky demo").output
    assert f"> **{headline(shown)}**" in (STICKY / "report.md").read_text("utf-8")
    kept = pd.read_parquet(STICKY / "tokens.parquet").set_index("token_id")
    names = ("effect", "validation", "q_value", "slope", "sticky_score", "per_million")
    listed = rows(shown)
    assert [token for token, _ in listed] == kept.sort_values("rank").index[: len(listed)].tolist()
    for token, (_, *numbers, sticky) in listed:
        assert numbers == [f"{kept.loc[token, name]:.3g}" for name in names]
        assert sticky == ("yes" if kept.loc[token, "sticky"] else "no")


def test_the_python_example_runs(workplace):
    names: dict[str, object] = {}
    exec(compile(python_block(), "README.md", "exec"), names)
    assert len(names["result"].tokens) == 49_152
