"""What other repositories take from this one, run as GitHub and pre-commit do, with a stand-in command."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from benchmarks import gate_example

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
#: Writes what it was given, one argument in a line; fails for a model called `bad`.
STAND_IN = '#!/bin/bash\nprintf "%s\\n" "$@" END >> "$GIVEN"\n[[ "${!#}" != *bad* ]]\n'
#: The session that docs/gate.md shows.
EXAMPLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = {step.get("id") or step["name"]: step for step in ACTION["runs"]["steps"]}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("forensics/bin", "bin"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "forensics").write_text(STAND_IN)
        (folder / "forensics").chmod(0o755)
    return tmp_path


def call(place: Path, command: list[str], cwd: Path, **more: str) -> tuple[int, list[list[str]]]:
    """The exit code, and the arguments of every call of the stand-in."""
    given = place / "given"
    env = {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "GIVEN": str(given), **more}
    done = subprocess.run(command, cwd=cwd, env=env, input="", text=True, capture_output=True, check=False)
    assert not done.stderr
    lines = given.read_text().splitlines() if given.exists() else []
    calls = "\n".join(lines).split("END")[:-1]
    return done.returncode, [each.strip("\n").split("\n") for each in calls]


def examine(place: Path, **inputs: str) -> tuple[int, list[str], Path]:
    """Run the step as GitHub does, inputs given by name and the rest by default."""
    declared = ACTION["inputs"]
    values = {
        name: inputs.get(name.replace("-", "_"), declared[name].get("default", "")) for name in declared
    }
    env = {
        name: values[re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)[1]]
        for name, value in STEPS["examine"]["env"].items()
    }
    script, output = place / "step.sh", place / "output"
    script.write_text(STEPS["examine"]["run"])
    # https://docs.github.com/actions/reference/workflow-syntax: what `shell: bash` stands for.
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    code, calls = call(place, shell, place, RUNNER_TEMP=str(place), GITHUB_OUTPUT=str(output), **env)
    (arguments,) = calls[-1:]
    return code, arguments, Path(output.read_text().splitlines()[-1].removeprefix("results="))


def test_the_action_gives_every_input_to_the_command(place: Path) -> None:
    code, given, results = examine(
        place,
        model="a model; rm x",
        fail_on="premium:hin_Deva>3",
        accepted="ok $(x).toml",
        arguments="--reference-language deu_Latn\n--gini",
    )
    assert code == 0 and results.is_dir()
    assert given == [
        *("audit", "--offline", "--out", str(results), "--fail-on", "premium:hin_Deva>3"),
        *("--accepted", "ok $(x).toml", "--sarif", "forensics.sarif"),
        *("--reference-language", "deu_Latn", "--gini", "--", "a model; rm x"),
    ]


def test_the_action_leaves_out_what_is_empty_and_fails_with_the_gate(place: Path) -> None:
    code, given, first = examine(place, model="bad", fail_on="", sarif="")
    assert (code, given) == (1, ["audit", "--offline", "--out", str(first), "--", "bad"])
    assert examine(place, model="good", command="scan")[2] != first


def test_no_step_of_the_action_writes_an_input_into_a_script() -> None:
    assert all("${{" not in step.get("run", "") for step in ACTION["runs"]["steps"])
    assert all("shell" in step for step in ACTION["runs"]["steps"] if "run" in step)


def hook(place: Path, name: str, files: list[str], cwd: Path) -> tuple[int, list[list[str]]]:
    return call(place, [*shlex.split(HOOKS[name]["entry"]), *files], cwd)


def test_the_hook_audits_every_folder_once_that_holds_a_tokenizer(place: Path) -> None:
    root = place / "repository"
    for folder in ("a model", "bad", "site"):
        (root / folder).mkdir(parents=True)
    for name in ("a model/tokenizer.json", "bad/tekken.json", "tokenizer.json"):
        (root / name).write_text("{}")
    changed = ["a model/tokenizer.json", "a model/chat_template.jinja", "bad/tekken.json",
               "site/tokenizer_config.json", "tokenizer.json"]  # fmt: skip
    assert all(re.search(HOOKS["forensics-audit"]["files"], name) for name in changed)
    code, calls = hook(place, "forensics-audit", changed, root)
    assert code == 1
    assert {each[-1] for each in calls} == {".", "a model", "bad"} and len(calls) == 3
    assert calls[0][:7] == ["audit", "--offline", "--overwrite", "--out", ".forensics", "--fail-on", "error"]
    assert not re.search(HOOKS["forensics-audit"]["files"], "src/config.json")


def test_the_hook_of_tokens_goes_on_after_a_failure(place: Path) -> None:
    code, calls = hook(place, "forensics-tokens", ["bad/tokenizer.json", "x/tokenizer.json"], place)
    assert code == 1 and [each[-1] for each in calls] == ["bad/tokenizer.json", "x/tokenizer.json"]
    assert hook(place, "forensics-tokens", [], place)[0] == 0


@pytest.mark.slow  # five runs of the command
def test_the_example_of_a_checkpoint_that_passes_and_fails_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gate_example.main()
    (shown,) = EXAMPLE.findall((ROOT / "docs" / "gate.md").read_text("utf-8"))
    assert capsys.readouterr().out.strip() == shown.strip()
