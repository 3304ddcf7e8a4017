"""`compare` from files to files, through its public function: planted differences, and pairs without any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forensics as fx
from forensics.cli.main import run as command_line
from forensics.errors import BadInputError
from forensics.files import write_json
from forensics.report.kinds.compare import KIND
from forensics.report.tables import write_table
from forensics.schema.finding import Level
from forensics.schema.record import to_json
from forensics.schema.scan import SCAN_TABLE
from tests.report.synthetic import build
from tests.runs.compare.written import (
    checkpoint,
    gguf_of,
    parallel_text,
    swapped,
    tokenizer_folder,
)


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    return parallel_text(tmp_path_factory.mktemp("parallel"))


def rules(result):
    return {finding.rule for finding in result.findings}


def gate_number(name, result):
    (value,) = (number.value(result.results) for number in KIND.own_numbers if number.name == name)
    return value


def test_a_tokenizer_and_itself_have_no_finding(tmp_path, parallel):
    folder = tokenizer_folder(tmp_path / "one")
    result = fx.compare(folder, folder, parallel=parallel, out=tmp_path / "out")
    (pair,) = result.record.pairs
    assert result.findings == ()
    assert pair.lineage.relation == "identical"
    assert [each.ratio for each in pair.lengths] == [1.0, 1.0]
    assert [each.name for each in result.record.inputs] == ["one (A)", "one (B)"]
    assert len(result.tables["shared"]) == pair.pieces.shared == pair.pieces.size_a
    assert result.tables["only_a"].empty and result.tables["only_b"].empty
    kept, whole = (json.loads((tmp_path / f"out/{name}.json").read_text()) for name in ("compare", "summary"))
    assert kept == {key: value for key, value in whole.items() if key not in ("seconds", "peak_rss_bytes")}
    again = fx.compare(folder, folder, parallel=parallel, out=tmp_path / "out")
    assert again.record == result.record


def test_the_same_again_elsewhere_and_on_one_thread_gives_the_same_bytes(tmp_path, monkeypatch):
    def compared(place):
        place.mkdir()
        text = place / "text"
        text.mkdir()
        one = tokenizer_folder(place / "one")
        other = tokenizer_folder(place / "other", lambda data: data["model"]["merges"].pop())
        return fx.compare(one, other, parallel=parallel_text(text), out=place / "out")

    first = compared(tmp_path / "here")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    second = compared(tmp_path / "another place")
    names = ["compare.json", *(f"{name}.parquet" for name in first.tables)]
    for name in [*names, *(f"plots/{path.name}" for path in (first.folder / "plots").iterdir())]:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes(), name
    assert first.manifest["fingerprint"] == second.manifest["fingerprint"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda data: data["model"].update(merges=swapped(data["model"]["merges"], 0, 1)), "order"),
        (lambda data: data.update(normalizer={"type": "NFC"}), "setting"),
        (lambda data: data["pre_tokenizer"].update(use_regex=False), "setting"),
        (lambda data: data["added_tokens"][0].update(lstrip=True), "added"),
        (lambda data: _exchange_ids(data["model"]["vocab"], 70, 71), "ids"),
    ],
)
def test_a_planted_difference_is_told(tmp_path, parallel, change, rule):
    one = tokenizer_folder(tmp_path / "one")
    other = tokenizer_folder(tmp_path / "other", change)
    result = fx.compare(one, other, parallel=parallel)
    # What is planted may give a probe text other ids, too.
    assert {f"difference/{rule}"} <= rules(result) <= {f"difference/{rule}", "difference/text"}
    assert {finding.level for finding in result.findings} == {Level.NOTE}


def _exchange_ids(vocabulary, one, other):
    names = {token_id: piece for piece, token_id in vocabulary.items()}
    vocabulary[names[one]], vocabulary[names[other]] = other, one


def test_pieces_of_one_alone_are_listed(tmp_path, parallel):
    def without_last_merge(data):
        left, right = data["model"]["merges"].pop()
        del data["model"]["vocab"][left + right]

    one = tokenizer_folder(tmp_path / "one")
    smaller = tokenizer_folder(tmp_path / "smaller", without_last_merge)
    result = fx.compare(one, smaller, parallel=parallel, out=tmp_path / "out")
    (pair,) = result.record.pairs
    assert (pair.pieces.only_a, pair.pieces.only_b) == (1, 0)
    assert pair.lineage.relation == "extended"
    assert pd.read_parquet(tmp_path / "out/only_a.parquet")["token_id"].tolist() == [599]
    merges = pd.read_parquet(tmp_path / "out/merges.parquet")
    assert (merges["rank_a"] == merges["rank_b"]).all()
    assert len(merges) == pair.order.size_b == pair.order.size_a - 1
    # Without the piece no text can be shorter.
    assert all(each.ratio >= 1 and each.lines_shorter == 0 for each in pair.lengths)


def test_lengths_are_those_of_the_encoders(tmp_path, parallel):
    one = tokenizer_folder(tmp_path / "one")
    other = tokenizer_folder(tmp_path / "other", lambda data: data["model"].update(merges=[]))
    (pair,) = fx.compare(one, other, parallel=parallel).record.pairs
    encoders = [fx.open_tokenizer(folder).encoder for folder in (one, other)]
    assert {each.language for each in pair.lengths} == {"eng_Latn", "deu_Latn"}
    for each in pair.lengths:
        lines = (parallel / f"{each.language}.txt").read_text().splitlines()
        counts = [
            [len(encoder.encode(line, add_special_tokens=False)) for line in lines] for encoder in encoders
        ]
        assert (each.tokens_a, each.tokens_b) == tuple(map(sum, counts))
        assert each.lines_longer == sum(b > a for a, b in zip(*counts, strict=True))
        assert each.ratio == pytest.approx(each.tokens_b / each.tokens_a)
        assert each.interval[0] < each.ratio < each.interval[1]


def test_a_language_of_unknown_tokens_is_struck_from_the_lengths(tmp_path, parallel):
    text = tmp_path / "text"
    text.mkdir()
    for language, line in (("eng_Latn", "all human beings"), ("rus_Cyrl", "все люди"), ("deu_Latn", "all")):
        (text / f"{language}.txt").write_text(f"{line}\n" * 12)
    words = tmp_path / "words"
    words.mkdir()
    (words / "vocab.txt").write_text("[UNK]\nall\nhuman\nbeing\n##s\n", encoding="utf-8")
    result = fx.compare(tokenizer_folder(tmp_path / "bytes"), words, parallel=text, out=tmp_path / "out")
    (pair,) = result.record.pairs
    found = {each.language: each for each in pair.lengths}
    # Two Russian words are two unknown tokens: the least of the three ratios, and no advantage.
    assert pair.lengths[-1] is found["rus_Cyrl"]
    assert (found["rus_Cyrl"].struck_a, found["rus_Cyrl"].struck_b) == (False, True)
    assert found["rus_Cyrl"].ratio < min(found["eng_Latn"].ratio, found["deu_Latn"].ratio)
    assert not found["eng_Latn"].struck and not found["deu_Latn"].struck
    report = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    assert "rus_Cyrl (struck)" in report and "eng_Latn (struck)" not in report
    reversed_ = fx.compare(words, tmp_path / "bytes", parallel=text)
    russian = next(each for each in reversed_.record.pairs[0].lengths if each.language == "rus_Cyrl")
    assert (russian.struck_a, russian.struck_b) == (True, False)
    # Struck, it is no reason to stop a gate, though its ratio is the largest.
    largest = max(each.ratio for each in reversed_.record.pairs[0].lengths)
    assert russian.ratio == largest > gate_number("length_ratio", reversed_)


def test_a_faithful_gguf_file_has_no_finding(tmp_path, parallel):
    folder = tokenizer_folder(tmp_path / "hf")
    result = fx.compare(folder, gguf_of(folder, tmp_path / "x.gguf"), parallel=parallel)
    assert result.record.pairs[0].gguf == "B"
    assert result.findings == ()


def test_a_gguf_file_of_another_tokenizer_is_no_conversion(tmp_path, parallel):
    other = tmp_path / "bert"
    other.mkdir()
    words = ["[UNK]", *(f"word{n}" for n in range(400))]
    (other / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    path = gguf_of(tokenizer_folder(tmp_path / "hf"), tmp_path / "x.gguf")
    result = fx.compare(other, path, parallel=parallel)
    assert result.record.pairs[0].gguf is None
    assert not [finding for finding in result.findings if finding.rule.startswith("parity/")]


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ({"token_type": lambda types: [1, *types[1:]]}, "parity/type"),
        ({"add_bos_token": True}, "parity/flag"),
        ({"merges": lambda merges: swapped(merges, 0, 1)}, "parity/merges"),
        ({"pre": "llama-bpe"}, "parity/pre"),
        ({"tokens": lambda tokens: swapped(tokens, 70, 71)}, "parity/piece"),
    ],
)
def test_a_planted_difference_of_a_gguf_file_is_told_in_either_order(tmp_path, parallel, planted, rule):
    folder = tokenizer_folder(tmp_path / "hf")
    path = gguf_of(folder, tmp_path / "x.gguf", **planted)
    found = [fx.compare(*sides, parallel=parallel) for sides in ((folder, path), (path, folder))]
    assert all(rule in rules(result) for result in found)
    assert rules(found[0]) == rules(found[1])
    assert all(each.rule.startswith("parity/") for each in found[0].findings)


def test_checkpoints_are_tested_for_independence(tmp_path, parallel):
    one = checkpoint(tmp_path / "one", seed=0)
    noisy = checkpoint(tmp_path / "noisy", seed=0, noise=0.5)
    stranger = checkpoint(tmp_path / "stranger", seed=1)
    wider = checkpoint(tmp_path / "wider", seed=2, width=40)
    result = fx.compare(one, noisy, stranger, wider, parallel=parallel)
    found = {
        pair.other: {test.test: test.verdict for test in pair.independence} for pair in result.record.pairs
    }
    assert all(verdict.startswith("not independent (p 1e-") for verdict in found["B"].values())
    assert set(found["C"].values()) == {"no evidence"}
    assert found["D"]["columns"] == "not testable (d 32 against 40)"
    assert found["D"]["units"].startswith("not testable")
    signals = {pair.other: pair.signals for pair in result.record.pairs}
    assert signals["B"].identical_rows == 0
    assert [each.what for each in result.record.inputs] == ["checkpoint"] * 4
    assert rules(result) == {"weights/not-independent"}


def test_a_checkpoint_beside_a_bare_tokenizer_is_compared_as_one(tmp_path, parallel):
    result = fx.compare(
        checkpoint(tmp_path / "one", seed=0), tokenizer_folder(tmp_path / "two"), parallel=parallel
    )
    assert [each.what for each in result.record.inputs] == ["tokenizer", "tokenizer"]
    assert result.record.pairs[0].independence == ()


def test_weights_that_cannot_be_read_are_told_and_left_out(tmp_path, parallel):
    damaged = checkpoint(tmp_path / "damaged", seed=0)
    (damaged / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    result = fx.compare(damaged, checkpoint(tmp_path / "one", seed=0), parallel=parallel)
    assert any("damaged: its weights are left out" in note for note in result.record.notes)


@pytest.fixture(scope="module")
def finished_scans(tmp_path_factory):
    """Two finished scans: the second rejects one token that the first verifies, and lacks another."""
    folder = tmp_path_factory.mktemp("scans")
    tokens, summary, _ = build()
    _save_scan(folder / "a", tokens, summary)
    verified = tokens.index[tokens["verdict"].isin(["verified_strong"]) & tokens["bytes"].notna()]
    changed = tokens.copy()
    rejected, lost = verified[0], verified[1]
    changed.loc[rejected, "verdict"] = "rejected"
    changed.at[lost, "bytes"] = b"another token"
    _save_scan(folder / "b", changed, summary)
    return folder / "a", folder / "b", tokens.loc[[rejected, lost], "bytes"].tolist()


def _save_scan(folder, tokens, summary):
    """Write the data files of a scan without its reports, which take seconds."""
    folder.mkdir()
    write_table(folder / "tokens.parquet", tokens, SCAN_TABLE)
    write_json(folder / "summary.json", to_json(summary))


def test_scans_are_compared_by_bytes(finished_scans, tmp_path):
    a, b, (rejected, lost) = finished_scans
    result = fx.compare(a, b, out=tmp_path / "out")
    scans = result.record.pairs[0].scans
    assert scans.only_a == {"not verified": 1, "absent": 1}
    assert scans.only_b == {"absent": 1}
    assert scans.verified_a == scans.both + 2 and scans.verified_b == scans.both + 1
    shared = pd.read_parquet(tmp_path / "out/shared.parquet").set_index("bytes")
    assert (shared.loc[rejected, "standing_a"], shared.loc[rejected, "standing_b"]) == (
        "verified",
        "not verified",
    )
    assert pd.read_parquet(tmp_path / "out/only_a.parquet")["bytes"].tolist() == [lost]
    assert "Verified in one and not in the other" in (tmp_path / "out/report.md").read_text()


def test_what_cannot_be_compared_is_refused(finished_scans, tmp_path, parallel):
    folder = tokenizer_folder(tmp_path / "one")
    with pytest.raises(BadInputError, match="found 1 to compare; give 2 to 26"):
        fx.compare(folder)
    with pytest.raises(BadInputError, match=r"is a finished scan, and .* is none"):
        fx.compare(folder, finished_scans[0], parallel=parallel)
    fx.tokens(folder, out=tmp_path / "tokens")
    with pytest.raises(BadInputError, match="holds a finished run of 'tokens'"):
        fx.compare(tmp_path / "tokens", folder)


def test_the_command_takes_several_and_minds_the_gate(tmp_path, parallel, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        tokenizer_folder(tmp_path / name)
    plain = ["compare", "one", "two", "--parallel", str(parallel)]
    assert command_line([*plain, "--fail-on", "note", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["out"] == str(Path("results/compare-one-two"))
    assert (tmp_path / "results/compare-one-two/report.html").is_file()
    tokenizer_folder(tmp_path / "two", lambda data: data.update(normalizer={"type": "NFC"}))
    again = [*plain, "--overwrite", "--sarif", "found.sarif"]
    assert command_line([*again, "--fail-on", "note"]) == 1
    told = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"]
    assert [each["ruleId"] for each in told] == ["difference/setting", "difference/text"]
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in told]
    assert places == ["one/tokenizer.json"] * 2
    assert 'normalizer.type is not set in one and "NFC" in two' in capsys.readouterr().out
    assert command_line([*plain, "--fail-on", "not_independent>0"]) == 2
    assert "this run has no number 'not_independent'" in capsys.readouterr().err
    assert command_line([*plain, "--fail-on", "length_ratio:deu_Latn>=1"]) == 1
    assert "length_ratio:deu_Latn is " in capsys.readouterr().err
    assert command_line([*plain, "--fail-on", "length_ratio:deu>1"]) == 2
    assert "did you mean length_ratio:deu_Latn?" in capsys.readouterr().err
    assert command_line(["compare", "one"]) == 2


def test_the_same_contents_elsewhere_give_the_same_tables(tmp_path, parallel):
    def outcome(place):
        one = tokenizer_folder(place / "one")
        other = tokenizer_folder(place / "other", lambda data: data["model"].update(merges=[]))
        result = fx.compare(one, other, parallel=parallel, out=place / "out")
        files = sorted((place / "out").glob("*.parquet"))
        return result.manifest["fingerprint"], [file.read_bytes() for file in files]

    assert outcome(tmp_path / "here") == outcome(tmp_path / "there")


def test_units_beyond_the_most_are_left_out_and_the_test_stands(tmp_path, parallel, monkeypatch):
    monkeypatch.setattr("forensics.runs.compare.weights.MOST_UNITS", 16)
    one = checkpoint(tmp_path / "one", seed=0)
    noisy = checkpoint(tmp_path / "noisy", seed=0, noise=0.1)
    (pair,) = fx.compare(one, noisy, parallel=parallel).record.pairs
    units = next(test for test in pair.independence if test.test == "units")
    assert units.statistic == pytest.approx(1) and units.layers == (0, 1)
    assert np.isfinite(units.log10_p)
