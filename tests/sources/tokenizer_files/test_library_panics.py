"""Panics of the Rust library are errors in one line, and silent while a file is opened."""

import os
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.outcome import Inputs, Job, RunSettings
from forensics.runs.frame.run import run
from forensics.schema.tokens import TokensOptions
from forensics.sources.tokenizer_files.encoder import build

tokenizers = pytest.importorskip("tokenizers")


def panic(*_):
    tokenizers.normalizers.Precompiled(b"\4\0\0\0\xff\xff\xff\x7f").normalize_str("abc")


def test_a_panic_is_a_refusal_and_not_heard(capfd):
    with pytest.raises(BadInputError, match=r"file: the tokenizers library refuses it \(index out of bounds"):
        build(Path("file"), panic)
    assert capfd.readouterr().err == ""


def test_other_words_on_standard_error_are_said_afterwards(capfd):
    def speak():
        os.write(2, b"a word\n")
        return 3

    assert build(Path("file"), speak) == 3
    assert capfd.readouterr().err == "a word\n"


def test_an_interruption_stays_one():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(Path("file"), interrupt)


def test_a_panic_in_the_middle_of_a_run_is_a_refusal(tmp_path):
    given = tmp_path / "tokenizer.json"
    given.write_text("{}")
    job = Job(Inputs({"tokenizer": [given]}), panic)
    with pytest.raises(BadInputError, match="the tokenizer: the tokenizers library refuses it"):
        run("tokens", TokensOptions(), lambda: job, RunSettings(None), Progress())
