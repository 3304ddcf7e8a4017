"""`sticky` from a folder to files, on a tiny model."""

import json
import shutil

import pandas as pd
import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.sticky.run import find_sticky_tokens
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder

CONTRACTION = {"insertions": 4, "ordinary_sample": 20, "threads": 1, "device": "cpu"}
STD = {"method": "std", "pairs_score": 2, "pairs_validate": 4, "shortlist": 10, "threads": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_embedding_folder(tmp_path_factory.mktemp("tiny") / "tiny-embedder")


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    place = tmp_path_factory.mktemp("sentences")
    files = [place / "first.txt", place / "second.txt"]
    for which, file in enumerate(files):
        file.write_text("\n".join(english(50, which)), encoding="utf-8")
    return files


@pytest.fixture(scope="module")
def contraction(folder, sentences):
    return find_sticky_tokens(folder, sentences=sentences, **CONTRACTION)


@pytest.fixture(scope="module")
def std(folder, sentences):
    # Any two texts of an untrained model are alike, and hardly any pair lies below the vocabulary's mean:
    # stated similarities make some.
    return find_sticky_tokens(folder, pairs=_pairs(sentences[0].parent), **STD)


def _pairs(place):
    texts = english(20, 9)
    rows = [f"{a},{b},{0.01 * k}" for k, (a, b) in enumerate(zip(texts[::2], texts[1::2], strict=True))]
    file = place / "pairs.csv"
    file.write_text("\n".join(["sentence1,sentence2,similarity", *rows]), encoding="utf-8")
    return file


def test_contraction_has_the_columns_of_the_interface(contraction):
    assert {
        "token_id", "piece", "text", "category", "sticky_score", "rank", "shortlisted", "validation",
        "effect", "effect_low", "effect_high", "q_value", "sticky", "slope", "slope_low", "slope_high",
        "shift_below", "shift_above", "variance_ratio",
    } <= set(contraction.tokens.columns)  # fmt: skip
    assert {"mean_token_similarity", "available", "shortlisted", "sticky", "seconds"} <= set(
        contraction.summary
    )


def test_ranks_of_measured_tokens_follow_the_effect(contraction):
    measured = contraction.tokens.query("shortlisted").sort_values("rank")
    assert measured["effect"].is_monotonic_decreasing
    assert measured["rank"].iloc[0] == 1
    assert (
        (measured["effect_low"] <= measured["effect"]) & (measured["effect"] <= measured["effect_high"])
    ).all()


def test_std_leaves_out_columns_that_do_not_apply(std):
    assert {"sticky_score", "rank", "shortlisted", "validation", "sticky"} <= set(std.tokens.columns)
    assert "slope" not in std.tokens.columns
    assert any("as often as it was inserted" in note for note in std.summary["notes"])
    assert any("differ from this model's cosine" in note for note in std.summary["notes"])


def test_std_on_some_tokens_has_exactly_the_numbers_of_a_full_run(folder, sentences, std):
    asked = [*std.tokens.query("shortlisted")["token_id"].tolist()[:2], 7]
    part = find_sticky_tokens(folder, pairs=_pairs(sentences[0].parent), tokens=asked, **STD)
    full = std.tokens.set_index("token_id")
    some = part.tokens.set_index("token_id").loc[asked]
    assert some["sticky_score"].tolist() == full.loc[asked, "sticky_score"].tolist()
    assert some["validation"].tolist()[:2] == full.loc[asked, "validation"].tolist()[:2]
    assert "sticky" not in part.tokens.columns


def test_contraction_on_some_tokens_has_exactly_the_numbers_of_a_full_run(folder, sentences, contraction):
    asked = contraction.tokens.query("shortlisted")["token_id"].tolist()[:2]
    part = find_sticky_tokens(folder, sentences=sentences, tokens=asked, **CONTRACTION)
    # Only what the first set finds is confirmed in a full run; what is asked for always is.
    columns = ["slope", "effect", "effect_low", "sticky_score", "shift_below"]
    pd.testing.assert_frame_equal(
        part.tokens.set_index("token_id").loc[asked, columns],
        contraction.tokens.set_index("token_id").loc[asked, columns],
        check_exact=True,
    )


def test_files_are_written_and_a_finished_run_is_not_computed_again(folder, sentences, tmp_path, contraction):
    out = tmp_path / "out"
    find_sticky_tokens(folder, sentences=sentences, out=out, **CONTRACTION)
    names = {file.name for file in out.iterdir()}
    assert {"tokens.parquet", "summary.json", "manifest.json", "report.md", "report.html"} <= names
    assert "sticky.jsonl" not in names
    heard = Progress()
    again = find_sticky_tokens(folder, sentences=sentences, out=out, progress=heard, **CONTRACTION)
    assert "screen" not in heard.seconds
    assert again.summary["available"] == contraction.summary["available"]
    with pytest.raises(BadInputError, match="other inputs"):
        find_sticky_tokens(folder, sentences=sentences, out=out, **{**CONTRACTION, "insertions": 3})


def test_a_finished_run_is_known_wherever_the_model_lies(folder, sentences, tmp_path):
    notes = []

    class Listener(Progress):
        def note(self, message):
            notes.append(message)

    out = tmp_path / "out"
    for place in ("a", "z"):  # before and after the sentences in the order of paths
        model = shutil.copytree(folder, sentences[0].parent.with_name(place) / "model")
        find_sticky_tokens(
            model, sentences=sentences, tokens=[20], out=out, progress=Listener(), **CONTRACTION
        )
    assert any("holds this run already" in note for note in notes)


def test_the_same_run_gives_the_same_bytes_and_an_interrupted_one_too(folder, sentences, tmp_path):
    class StopError(Exception):
        pass

    class Stopping(Progress):
        def open_stage(self, name, total, unit):
            if name == "full measurement":
                raise StopError
            return super().open_stage(name, total, unit)

    text = tmp_path / "text"
    text.mkdir()
    for name in ("a", "b"):
        (text / f"{name}.txt").write_text(f"{name} river stone\n" * 20, encoding="utf-8")
    options = {**CONTRACTION, "sentences": sentences, "corpora": [text]}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    find_sticky_tokens(folder, out=whole, **options)
    with pytest.raises(StopError):
        find_sticky_tokens(folder, out=broken, progress=Stopping(), **options)
    assert not (broken / "tokens.parquet").exists()
    assert (broken / "sticky.jsonl").exists()
    find_sticky_tokens(folder, out=broken, **options)
    assert (whole / "tokens.parquet").read_bytes() == (broken / "tokens.parquet").read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "guess"}, "method: found"),
        ({"tokens": [99_999]}, "id 99999 is outside"),
        ({"shortlist": 0}, "shortlist: found 0"),
        ({"insertions": 0}, "insertions: found 0"),
        ({"insertions": 35}, "window"),
        ({"pairs": "p.csv"}, "the method std only"),
    ],
)
def test_options_that_cannot_be_met_are_refused(folder, sentences, options, said):
    with pytest.raises(BadInputError, match=said):
        find_sticky_tokens(folder, sentences=sentences, **{**CONTRACTION, **options})


def test_one_file_of_sentences_is_cut_in_halves(folder, sentences, tmp_path):
    file = tmp_path / "one.txt"
    file.write_text("\n".join(english(100, 5)), encoding="utf-8")
    result = find_sticky_tokens(folder, sentences=[file], tokens=[7], **CONTRACTION)
    assert [s["sentences"] for s in result.summary["sets"]] == [50, 50]


def test_confirmation_on_the_same_sentences_is_refused(folder, sentences):
    with pytest.raises(BadInputError, match="every sentence is also in"):
        find_sticky_tokens(folder, sentences=[sentences[0], sentences[0]], **CONTRACTION)


def test_too_few_pairs_below_u_are_one_clear_line(folder, sentences):
    alike = sentences[0].parent / "alike.csv"
    alike.write_text(_pairs(sentences[0].parent).read_text().replace(",0.0", ",0.999"))
    with pytest.raises(BadInputError, match="pairs have a similarity below u"):
        find_sticky_tokens(folder, pairs=alike, **STD)


def test_files_are_read_before_the_model_is(tmp_path, sentences):
    """A folder that holds no model would be refused first otherwise."""
    nothing = tmp_path / "no model"
    nothing.mkdir()
    pairs = tmp_path / "pairs.csv"
    for text, said in (
        ("sentence1;sentence2;similarity\na;b;0.5\n", "separated by semicolons"),
        ("sentence1,sentence2,similarity\na,b,nan\n", "line 2 has the similarity 'nan'"),
        ("sentence1,sentence2,similarity\na,b,0.5\n", "holds 1 pairs, 4 are needed"),
    ):
        pairs.write_text(text)
        with pytest.raises(BadInputError, match=said):
            find_sticky_tokens(nothing, pairs=pairs, **STD)
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(BadInputError, match="holds no sentence"):
        find_sticky_tokens(nothing, sentences=[sentences[0], tmp_path / "empty.txt"], **CONTRACTION)
    with pytest.raises(BadInputError, match="no such file or folder"):
        find_sticky_tokens(nothing, sentences=sentences, corpora=[tmp_path / "nowhere"], **CONTRACTION)


@pytest.mark.parametrize(("bad", "length"), [("river " * 500, 500), ("\u200b", 0)])
def test_a_sentence_that_does_not_fit_is_named_by_its_line_and_real_length(folder, tmp_path, bad, length):
    file = tmp_path / "s.txt"
    lines = english(100, 5)
    file.write_text("\n".join([*lines[:30], "", bad, *lines[30:]]), encoding="utf-8")
    with pytest.raises(BadInputError, match=f"line 32 has {length} tokens, the window holds 38"):
        find_sticky_tokens(folder, sentences=[file], tokens=[7], **CONTRACTION)


def test_std_cuts_long_sentences_as_encode_does_and_says_how_many(folder, tmp_path):
    """Pairs that are not used are not looked at, whatever is wrong with them."""
    rows = [f"{a},{b},{0.01 * k}" for k, (a, b) in enumerate(zip(english(4, 1), english(4, 2), strict=True))]
    file = tmp_path / "pairs.csv"
    long = " ".join(english(6, 3))
    rows[1] = f"river stone,{long},0.01"
    unused = f"{long},{long},1"
    file.write_text("\n".join(["sentence1,sentence2,similarity", *rows, unused]), encoding="utf-8")
    result = find_sticky_tokens(folder, pairs=file, tokens=[7, 9], **STD)
    said = (
        "pairs.csv: of 4 pairs used, 1 hold a sentence of more than the 38 tokens that the model sees, 1 with"
    )
    assert any(said in note for note in result.summary["notes"])
    assert result.tokens["sticky_score"].notna().sum() == 2


def test_the_case_against_std_is_made_with_this_runs_own_figures(std):
    summary, notes = std.summary, " ".join(std.summary["notes"])
    kept = summary["kept_as_inserted"]
    assert 0 <= kept["random"]["prefix"] <= 1
    assert kept["validated"]["tokens"] == summary["shortlisted"]
    assert f"{kept['random']['prefix']:.0%} of the prefix" in notes
    assert f"cuts off {summary['sticky'] / summary['shortlisted']:.1%}" in notes


def test_summary_is_json_without_nan(contraction, tmp_path):
    contraction.save(tmp_path)
    text = (tmp_path / "summary.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["kind"] == "sticky"
