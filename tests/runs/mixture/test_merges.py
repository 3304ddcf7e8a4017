"""Merges that training did not choose, through the public interface: applied, counted, not explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import forensics as fx
from forensics.sources.texts.corpora import find_corpora, read_corpus

SHARES = {"de": 0.3, "en": 0.7}
SPACE = "\u0120"
#: Ten merges that make runs of spaces, and three that GPT-2's pattern never lets happen.
LADDER = [(SPACE * (length - 1), SPACE) for length in range(2, 12)]
NEVER = [("e", SPACE), (f"e{SPACE}", "d"), ("n", SPACE)]


def written(folder: Path, content: dict, merges: list[list[str]]) -> Path:
    """Write a tokenizer with another merge list and the vocabulary that goes with it."""
    vocab = {symbol: number for number, symbol in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    folder.mkdir()
    model = {**content["model"], "merges": merges, "vocab": vocab}
    (folder / "tokenizer.json").write_text(json.dumps({**content, "model": model}))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with text, a tokenizer trained on a known mixture, and the same with merges planted."""
    root = tmp_path_factory.mktemp("planted")
    (root / "text").mkdir()
    training = []
    for corpus in find_corpora(["demo"]):
        name = corpus.name.partition("/")[2]
        if name in SHARES:
            lines = "".join(read_corpus(corpus)).splitlines(keepends=True)
            # Runs of spaces, so that the planted ladder has something to merge.
            lines = [line.replace(". ", f".{' ' * (1 + at % 9)}") for at, line in enumerate(lines)]
            (root / "text" / f"{name}.txt").write_text("".join(lines[1::2]), encoding="utf-8")
            taken = 0
            for line in lines[::2]:
                if taken < SHARES[name] * 100_000:
                    training.append(line)
                    taken += len(line.encode())
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + 500, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(training, trainer)
    content = json.loads(tokenizer.to_str())
    learned = [pair for pair in content["model"]["merges"] if set("".join(pair)) != {SPACE}]
    written(root / "clean", content, learned)
    planted = [list(pair) for pair in (*LADDER, *learned[:100], *NEVER, *learned[100:])]
    written(root / "planted", content, planted)
    return root


def test_planted_merges_are_counted_shown_and_kept_out_of_the_fit(root: Path, tmp_path: Path) -> None:
    found = fx.infer_mixture(root / "planted", root / "text", merges=400, out=tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "mixture.json").read_text())
    aside = summary["merges_aside"]
    assert aside["by_hand"]["count"] == len(LADDER)
    assert [each["step"] for each in aside["by_hand"]["examples"]] == list(range(10))
    assert aside["by_hand"]["examples"][1]["pair"] == ["  ", " "]
    assert aside["unformable"]["count"] == len(NEVER)
    assert [each["pair"] for each in aside["unformable"]["examples"]] == [["e", " "], ["e ", "d"], ["n", " "]]
    # 400 merges were looked at, the planted among them, and those are neither in the fit nor missing.
    assert summary["merges_used"] == 400 - len(LADDER) - len(NEVER)
    steps = set(found.merges["step"])
    assert not steps & {*range(10), 110, 111, 112}
    assert not {tuple(pair) for pair in summary["missing_examples"]} & {("e", " "), ("e ", "d"), ("n", " ")}
    report = (tmp_path / "out" / "report.md").read_text()
    assert "merges put in by hand, applied and not explained" in report
    assert "10 merges were put in by hand" in report
    assert "3 merges can never be formed" in report


def test_the_shares_are_those_that_the_learned_merges_alone_give(root: Path) -> None:
    planted = fx.infer_mixture(root / "planted", root / "text", merges=413)
    clean = fx.infer_mixture(root / "clean", root / "text", merges=400)
    for name, share in SHARES.items():
        assert planted.proportions[name] == pytest.approx(share, abs=0.05)
        assert planted.proportions[name] == pytest.approx(clean.proportions[name], abs=0.02)


def test_both_methods_leave_them_out(root: Path) -> None:
    found = fx.infer_mixture(root / "planted", root / "text", merges=200, method="lp")
    assert found.proportions["en"] == pytest.approx(SHARES["en"], abs=0.07)
    assert found.summary["merges_used"] == 200 - 13
