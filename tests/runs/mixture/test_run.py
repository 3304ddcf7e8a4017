"""`infer_mixture` from files to files, and the command around it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.texts.corpora import find_corpora, read_corpus
from tests.extras import need

need("highspy")
need("numba")

SHARES = {"languages/de": 0.25, "languages/en": 0.5, "code/python": 0.25}


class Heard(Progress):
    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tokenizer of known mixture, a longer one, and text of its categories."""
    root = tmp_path_factory.mktemp("mixture")
    training = []
    for corpus in find_corpora(["demo"]):
        if corpus.name in SHARES:
            lines = "".join(read_corpus(corpus)).splitlines(keepends=True)
            place = root / "text" / f"{corpus.name}.txt"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("".join(lines[1::2]), encoding="utf-8")
            taken = 0
            for line in lines[::2]:
                if taken < SHARES[corpus.name] * 120_000:
                    training.append(line)
                    taken += len(line.encode())
    for name, merges in (("short", 300), ("known", 700)):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator(training, trainer)
        (root / name).mkdir()
        tokenizer.save(str(root / name / "tokenizer.json"))
    return root


def groups(folder: Path) -> list[Path]:
    return [folder / "text" / "languages", folder / "text" / "code"]


def test_a_known_mixture_is_found_and_all_files_are_written(folder: Path, tmp_path: Path) -> None:
    found = fx.infer_mixture(folder / "known", groups(folder), baselines=True, out=tmp_path / "out")
    for name, share in SHARES.items():
        assert found.proportions[name] == pytest.approx(share, abs=0.03)
    summary = json.loads((tmp_path / "out" / "mixture.json").read_text())
    assert sum(summary["proportions"].values()) == pytest.approx(1)
    assert summary["groups"]["languages"] == pytest.approx(0.75, abs=0.03)
    assert set(summary["baselines"]) == {"tee", "tc"}
    for key in ("interval", "merges_used", "missing_merges", "violation", "unexplained", "seconds"):
        assert key in summary
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "mixture.json",
        "summary.json",
        "merges.parquet",
        "manifest.json",
        "report.html",
        "report.md",
        "plots",
    }
    assert (
        len(pd.read_parquet(tmp_path / "out" / "merges.parquet"))
        == summary["merges_used"] - summary["missing_merges"]
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert len(manifest["files"]) == 4
    report = (tmp_path / "out" / "report.md").read_text()
    assert "languages/en" in report
    assert "![violation](plots/violation.png)" in report
    assert "<svg" in (tmp_path / "out" / "report.html").read_text()


def test_the_same_inputs_give_the_same_bytes_and_the_cache_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    fx.infer_mixture(folder / "known", groups(folder), out=tmp_path / "one", cache=tmp_path / "cache")
    kept = list((tmp_path / "cache").iterdir())
    assert len(kept) == 3
    fx.infer_mixture(folder / "known", groups(folder), out=tmp_path / "two", cache=tmp_path / "cache")
    one, two = (json.loads((tmp_path / name / "mixture.json").read_text()) for name in ("one", "two"))
    for each in (one, two):
        each.pop("seconds")
        each.pop("peak_rss_bytes")
    assert one == two
    merges = [(tmp_path / name / "merges.parquet").read_bytes() for name in ("one", "two")]
    assert merges[0] == merges[1]


def test_a_finished_run_is_kept_and_other_options_are_refused(folder: Path, tmp_path: Path) -> None:
    first = fx.infer_mixture(folder / "known", groups(folder), out=tmp_path / "out")
    heard = Heard()
    again = fx.infer_mixture(folder / "known", groups(folder), out=tmp_path / "out", progress=heard)
    assert again.proportions == first.proportions
    assert any("holds this run already" in note for note in heard.notes)
    with pytest.raises(BadInputError, match="holds a finished run of other inputs"):
        fx.infer_mixture(folder / "known", groups(folder), merges=200, out=tmp_path / "out")


def test_only_what_was_learned_after_another_tokenizer_is_explained(folder: Path) -> None:
    found = fx.infer_mixture(folder / "known", groups(folder), after=folder / "short")
    assert found.summary["merges_skipped"] == 300
    assert found.summary["merges_used"] == 400
    assert "the first 300 merges are those of short and are not explained" in found.summary["notes"]


def test_intervals_hold_the_shares_and_their_cost_is_said_beforehand(folder: Path, tmp_path: Path) -> None:
    heard = Heard()
    found = fx.infer_mixture(
        folder / "known", groups(folder), merges=300, bootstrap=3, out=tmp_path / "out", progress=heard
    )
    for name, (low, high) in found.summary["interval"].items():
        assert low <= found.proportions[name] <= high
    low, high = found.summary["group_interval"]["languages"]
    assert low <= found.summary["groups"]["languages"] <= high
    assert any("3 tokenizers of 300 merges are simulated on" in note for note in heard.notes)
    assert set(found.summary["documents"]) == set(SHARES)


def test_a_category_of_two_documents_gets_no_interval(folder: Path, tmp_path: Path) -> None:
    text = (folder / "text" / "languages" / "de.txt").read_text(encoding="utf-8")
    records = [json.dumps({"text": half}) for half in (text[: len(text) // 2], text[len(text) // 2 :])]
    (tmp_path / "few.jsonl").write_text("\n".join(records), encoding="utf-8")
    named = {"few": tmp_path / "few.jsonl", "en": folder / "text" / "languages" / "en.txt"}
    found = fx.infer_mixture(
        folder / "known", named=named, merges=200, bootstrap=2, out=tmp_path / "out", seed=1
    )
    assert tuple(found.summary["interval"]["few"]) == (0, 1)
    assert any("fewer than 6 documents of equal size: few (2.0)" in note for note in found.summary["notes"])
    assert "| few |" in (tmp_path / "out" / "report.md").read_text().replace("`", "")


@pytest.mark.parametrize("kind", ["unigram", "wordpiece"])
def test_tokenizers_without_stored_merges(folder: Path, tmp_path: Path, kind: str) -> None:
    text = [
        line
        for name, share in SHARES.items()
        for line in (folder / "text" / f"{name}.txt")
        .read_text(encoding="utf-8")
        .splitlines()[: int(1200 * share)]
    ]
    if kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=600, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = fx.infer_mixture(
        tmp_path / "tokenizer.json", groups(folder), baselines=True, bootstrap=3, out=tmp_path / "out"
    )
    for name, (low, high) in found.summary["interval"].items():
        assert low <= found.proportions[name] <= high
    assert found.summary["method"] == ("scores" if kind == "unigram" else "curve")
    assert sum(found.proportions.values()) == pytest.approx(1)
    what = "pieces" if kind == "unigram" else "merges"
    assert f"The {what} of " in (tmp_path / "out" / "report.md").read_text()
    if kind == "wordpiece":
        assert any("recovered from the vocabulary" in note for note in found.summary["notes"])


def test_the_command_says_the_finding_and_gives_json(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = folder / "text"
    line = [
        "mixture",
        str(folder / "known"),
        "--corpora",
        str(text / "languages"),
        "--corpus",
        f"py={text / 'code' / 'python.txt'}",
    ]
    assert run([*line, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The merges of known fit training text of")
    assert f"report  {tmp_path / 'out' / 'report.html'}" in said
    assert run([*line, "--out", str(tmp_path / "out"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["proportions"]) == {"de", "en", "py"}
    shutil.rmtree(tmp_path / "out" / "plots")
    assert run(["report", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "plots" / "shares.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--corpora: no category given; try --corpora demo"),
        (["--corpora", "nowhere"], "nowhere: no such file or folder"),
        (["--corpus", "x"], "--corpus: found 'x'; write NAME=PATH"),
        (["--corpora", "demo", "--pretokenizer", "nonesuch"], "--pretokenizer: unknown rule 'nonesuch'"),
        (["--corpora", "demo", "--skip-merges", "5000"], "700 merges, of which 5,000 are skipped"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code = run(["mixture", str(folder / "known"), *arguments, "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert code == 2
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in said


def test_a_rank_file_whose_rule_is_not_known_is_refused_until_one_is_named(
    folder: Path, tmp_path: Path
) -> None:
    import base64

    ranks = [bytes([byte]) for byte in range(256)] + [
        b"th",
        b"he",
        b" t",
        b"er",
        b"in",
        b" the",
        b"an",
        b"de",
        b"en",
        b"on",
    ]
    file = tmp_path / "unknown.tiktoken"
    file.write_text(
        "".join(f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(ranks))
    )
    with pytest.raises(BadInputError, match=r"do not say how text is cut.*name the rule with `pretokenizer`"):
        fx.infer_mixture(file, groups(folder))
    found = fx.infer_mixture(file, groups(folder), pretokenizer="gpt2")
    assert found.summary["splitting"]["origin"] == "the rule gpt2, as asked for"
