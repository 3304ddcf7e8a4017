"""`--dask`: counting on a cluster gives what counting here gives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError, MissingExtraError
from forensics.sources.texts.corpora import find_corpora, read_corpus
from tests.extras import need, skip_without

NAMES = ("languages/de", "languages/en", "code/python")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dask") / "corpora"
    folder.mkdir()
    for corpus in find_corpora(["demo"]):
        if corpus.name in NAMES:
            text = "".join(read_corpus(corpus, 40_000))
            (folder / f"{corpus.name.partition('/')[2]}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tokenizer(corpora: Path) -> Path:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=556, initial_alphabet=alphabet, show_progress=False)
    made.train([str(file) for file in sorted(corpora.iterdir())], trainer)
    made.save(str(corpora.parent / "trained.json"))
    return corpora.parent / "trained.json"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a scheduler with one worker, in this process."""
    distributed = need("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_the_result_is_that_of_the_plain_run(
    tokenizer: Path, corpora: Path, address: str, tmp_path: Path
) -> None:
    there = fx.infer_mixture(tokenizer, corpora, merges=200, dask=address, cache=tmp_path / "cache")
    here = fx.infer_mixture(tokenizer, corpora, merges=200)
    for summary in (there.summary, here.summary):
        summary.pop("seconds")
        summary.pop("peak_rss_bytes")
    assert there.summary == here.summary
    assert there.merges.equals(here.merges)
    assert len(list((tmp_path / "cache").iterdir())) == len(NAMES)  # written by the worker


def test_an_error_of_a_worker_is_the_line_of_the_plain_run(
    tokenizer: Path, corpora: Path, address: str, tmp_path: Path
) -> None:
    (tmp_path / "latin.txt").write_bytes("für".encode("latin-1"))
    named = {"de": corpora / "de.txt", "latin": tmp_path / "latin.txt"}
    with pytest.raises(BadInputError, match=r"latin\.txt: not UTF-8 \(byte 0xfc\)"):
        fx.infer_mixture(tokenizer, named=named, dask=address)


@pytest.mark.parametrize("wrong", ["nonsense", "tcp://127.0.0.1:1"])
def test_no_scheduler_at_the_address_is_one_line(
    tokenizer: Path,
    corpora: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
) -> None:
    need("distributed")
    monkeypatch.setattr("forensics.runs.mixture.count_text.DASK_SECONDS", 0.2)
    line = [
        "mixture",
        str(tokenizer),
        "--corpora",
        str(corpora),
        "--dask",
        wrong,
        "--out",
        str(tmp_path / "out"),
    ]
    assert run(line) == 2
    errors = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    assert len(errors) == 1
    assert f"--dask: no Dask scheduler answers at '{wrong}'" in errors[0]
    assert "start one with `dask scheduler` and give its address" in errors[0]


def test_distributed_that_is_not_installed_is_answered_with_the_line_that_installs_it(
    tokenizer: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    skip_without("highspy")
    with pytest.raises(MissingExtraError, match=r"Dask cluster needs .*forensics\[mixture\]"):
        fx.infer_mixture(tokenizer, corpora, dask="tcp://127.0.0.1:8786")
