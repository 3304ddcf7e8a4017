"""What `mixture` refuses, and with what words: one line and exit code 2, or a note where the run goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError, MissingExtraError
from tests.extras import need

need("highspy")
need("numba")

GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund und läuft weiter.\n" * 30
ENGLISH = "The quick brown fox jumps over the lazy dog and runs on to the river.\n" * 30


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([GERMAN, ENGLISH], trainer)
    folder = tmp_path_factory.mktemp("bpe")
    made.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "de.txt").write_text(GERMAN, encoding="utf-8")
    (folder / "en.txt").write_text(ENGLISH, encoding="utf-8")
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Return the one line that the command says before it exits with 2."""
    assert run(["mixture", *map(str, arguments)]) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in said.err
    assert said.out == ""
    return lines[0]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("empty.txt", b"", "category empty: no text in it; give text, or leave it out"),
        ("blank.txt", b"\xef\xbb\xbf", "category blank: no text in it"),
        ("twin.txt", GERMAN.encode(), "categories de and twin: hold the same text; leave one out"),
        ("latin.txt", GERMAN.encode("latin-1"), "latin.txt: not UTF-8 (byte 0xfc); convert it, e.g. iconv"),
        ("wide.txt", ENGLISH.encode("utf-16"), "wide.txt: not UTF-8 (byte 0xff); convert it"),
        ("bare.txt", ENGLISH.encode("utf-16-le"), "bare.txt: not UTF-8 (every other byte is zero, as in"),
        ("lines.jsonl", b'{"content": "x"}\n', "line 1 is no JSON object with `text`"),
        ("broken.txt.xz", b"\xfd7zXZ", "broken.txt.xz: cannot be read"),
    ],
)  # fmt: skip
def test_a_category_that_cannot_be_used(
    tokenizer: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    name: str, data: bytes, expected: str,
) -> None:  # fmt: skip
    (corpora / name).write_bytes(data)
    assert expected in refused(capsys, tokenizer, "--corpora", corpora, "--out", tmp_path / "out")
    assert not (tmp_path / "out" / "mixture.json").exists()


def test_a_category_of_another_encoding_is_named_by_worker_processes_too(
    tokenizer: Path, corpora: Path
) -> None:
    (corpora / "latin.txt").write_bytes(GERMAN.encode("latin-1"))
    with pytest.raises(BadInputError, match=r"latin\.txt: not UTF-8"):
        fx.infer_mixture(tokenizer, corpora, jobs=2)


def test_one_category_alone(
    tokenizer: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpora / "en.txt").unlink()
    line = refused(capsys, tokenizer, "--corpora", corpora, "--out", tmp_path / "out")
    assert "the categories: 1 given; proportions need two or more categories" in line


def test_a_tokenizer_that_leaves_no_trace(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(
        [GERMAN, ENGLISH], trainers.WordLevelTrainer(vocab_size=90, special_tokens=["[UNK]"])
    )
    made.save(str(tmp_path / "tokenizer.json"))
    line = refused(capsys, tmp_path / "tokenizer.json", "--corpora", corpora, "--out", tmp_path / "out")
    assert "a wordlevel tokenizer, which keeps no ordered merges" in line
    assert "no proportions can be inferred from it: give a BPE, Unigram or WordPiece tokenizer, or" in line


@pytest.mark.parametrize(
    "option",
    [["--method", "lp"], ["--compare"], ["--skip-merges", "9"]],
)
def test_options_about_merges_where_there_are_none(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    made = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0), ("b", -2.0)], 0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.save(str(tmp_path / "tokenizer.json"))
    line = refused(
        capsys, tmp_path / "tokenizer.json", "--corpora", corpora, "--out", tmp_path / "out", *option
    )
    assert f"{option[0]}: " in line
    assert "is a unigram tokenizer without merges; leave it out" in line


def test_a_tokenizer_whose_file_has_no_pre_tokenizer(
    tokenizer: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((tokenizer / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps({**content, "pre_tokenizer": None}))
    line = refused(capsys, tmp_path / "tokenizer.json", "--corpora", corpora, "--out", tmp_path / "out")
    assert "do not say how text is cut before merging; name the rule with --pretokenizer (gpt2" in line


def test_fewer_merges_than_asked_for_is_said_and_all_are_used(
    tokenizer: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["mixture", str(tokenizer), "--corpora", str(corpora), "--out", str(tmp_path / "out")]
    assert run([*line, "--merges", "500"]) == 0
    note = "500 merges were asked for and the tokenizer has 44: all were used"
    assert note in capsys.readouterr().err
    summary = json.loads((tmp_path / "out" / "mixture.json").read_text())
    assert note in summary["notes"]
    assert summary["merges_used"] == summary["merges_total"] == 44
    assert note in (tmp_path / "out" / "report.md").read_text()


def test_a_rule_that_is_not_the_tokenizers_own_gives_a_doubt(tokenizer: Path, corpora: Path) -> None:
    """Merges that no text can form show that the list was learned in text cut another way."""
    own = fx.infer_mixture(tokenizer, corpora)
    assert own.summary["merges_aside"]["unformable"]["count"] == 0
    content = json.loads((tokenizer / "tokenizer.json").read_text())
    # Letter by letter: nothing but spaces could be merged with what follows.
    content["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "[ae]"}, "behavior": "Isolated", "invert": False},
            content["pre_tokenizer"],
        ],
    }
    (corpora.parent / "tokenizer.json").write_text(json.dumps(content))
    other = fx.infer_mixture(corpora.parent / "tokenizer.json", corpora)
    assert not other.summary["reliable"]
    assert any("can never be formed in text cut by" in doubt for doubt in other.summary["doubts"])


@pytest.mark.parametrize("package", ["numba", "highspy", "joblib"])
def test_a_missing_library_is_answered_with_the_line_that_installs_it(
    tokenizer: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what an import finds that is not installed
    with pytest.raises(MissingExtraError, match=rf"needs the package '{package}'.*forensics\[mixture\]"):
        fx.infer_mixture(tokenizer, corpora)


def test_a_normalizer_does_not_hide_equal_texts(tokenizer: Path, corpora: Path) -> None:
    content = json.loads((tokenizer / "tokenizer.json").read_text())
    made = Tokenizer.from_str(json.dumps(content))
    made.normalizer = normalizers.Lowercase()
    made.save(str(corpora.parent / "tokenizer.json"))
    (corpora / "shout.txt").write_text(ENGLISH.upper(), encoding="utf-8")
    with pytest.raises(BadInputError, match="categories en and shout: hold the same text"):
        fx.infer_mixture(corpora.parent / "tokenizer.json", corpora)


def test_a_list_that_shares_only_its_first_merges_does_not_go_on_from_another(
    tokenizer: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((tokenizer / "tokenizer.json").read_text())
    merges = [tuple(pair) for pair in content["model"]["merges"]]
    other = [*merges[:10], *((letter, letter) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    vocab = {symbol: number for number, symbol in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    for left, right in other:
        vocab.setdefault(left + right, len(vocab))
    content["model"] |= {"merges": [list(pair) for pair in other], "vocab": vocab}
    (tmp_path / "other.json").write_text(json.dumps(content))
    line = refused(
        capsys, tokenizer, "--corpora", corpora, "--after", tmp_path / "other.json", "--out", tmp_path / "out"
    )
    assert "does not begin with that of other: they have the first 10 merges in common, of 36" in line
