"""Standard output is kept for the result at the level of the descriptor; no stream makes a run crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: A command line around a library that greets its user from Python, from C's `write` and from C's buffer.
PROGRAM = """
import ctypes, sys
import forensics
from forensics.cli.main import main
from forensics.runs.frame.result import Result
from tests.report.synthetic import build

def greet(model, **options):
    libc = ctypes.CDLL(None)
    print("hello from Python")
    libc.write(1, b"hello from write\\n", 17)
    libc.puts(b"hello from puts")
    tokens, summary, manifest = build()
    options["out"].mkdir(parents=True, exist_ok=True)
    return Result({"tokens": tokens}, summary, manifest, options["out"])

forensics.scan = greet
main(sys.argv[1:])
"""


def start(tmp_path: Path, *arguments: str, **options) -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-c", PROGRAM, "scan", "demo", "--out", str(tmp_path / "out"), *arguments]
    env = {**os.environ, **options.pop("env", {})}
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(line, stderr=subprocess.PIPE, env=env, check=False, **options)


@pytest.mark.skipif(os.name == "nt", reason="the C library has another name there")
def test_what_a_library_prints_from_c_stays_out_of_the_json(tmp_path: Path) -> None:
    done = start(tmp_path, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["kind"] == "scan"
    for greeting in (b"hello from Python", b"hello from write", b"hello from puts"):
        assert greeting in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_every_encoding_shows_the_result(tmp_path: Path, encoding: str, arguments: tuple[str, ...]) -> None:
    done = start(tmp_path, "--fail-on", "verified>3", *arguments, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 1
    assert b"internal error" not in done.stderr
    shown = done.stdout.decode(encoding)
    if arguments:
        assert json.loads(shown)["fail_on"] == {"verified>3": True}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = start(tmp_path, stdout=full)
    assert done.returncode == 2
    errors = [line for line in done.stderr.decode().splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "standard output: cannot be written (No space left on device)" in errors[0]
    assert b"Exception ignored" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="descriptors are closed by a shell of Unix")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_do_not_stop_a_run(tmp_path: Path, closed: str) -> None:
    line = f'exec "$0" -c "$1" scan demo --fail-on "verified>3" --out "$2" {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, PROGRAM, str(tmp_path / "out")],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"internal error" not in done.stderr


def test_a_home_in_out_is_the_users(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = start(tmp_path, "--out=~/here", "--json", env=home)
    assert json.loads(done.stdout)["out"] == str(tmp_path / "here")


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(bytes(str(tmp_path), "utf-8") + b"/caf\xe9")
    done = start(tmp_path, "--out", name)
    assert done.returncode == 0
    assert b"report" in done.stdout
