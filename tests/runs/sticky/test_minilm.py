"""`sticky` on a released model, whole runs over a vocabulary of about two hundred tokens."""

import pytest

import forensics as fx
from tests.sources.written_tokenizers import minilm
from tests.sticky.small_minilm import ORDINARY, STICKY, ids_of, sentences, write_small_minilm

pytestmark = pytest.mark.slow

ON_CPU = {"threads": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("minilm")
    write_small_minilm(minilm(), place / "model", others=150)
    for which in (0, 1):
        (place / f"{which}.txt").write_text("\n".join(sentences(which)), encoding="utf-8")
    text = place / "text"
    text.mkdir()
    (text / "calm.txt").write_text("the house .\n" * 100, encoding="utf-8")
    (text / "odd.txt").write_text("the ნ ვ ვ .\n" * 10, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def contraction(place):
    return fx.find_sticky_tokens(
        place / "model",
        sentences=[place / "0.txt", place / "1.txt"],
        corpora=[place / "text"],
        ordinary_sample=16,
        effects=False,
        **ON_CPU,
    )


def test_known_sticky_tokens_are_found_on_other_sentences(place, contraction):
    found = set(contraction.tokens.query("sticky")["token_id"])
    assert set(ids_of(place / "model", STICKY)) <= found
    assert not found & set(ids_of(place / "model", ORDINARY))
    # Among 150 arbitrary entries of the vocabulary hardly any are sticky.
    assert len(found) <= len(STICKY) + 4


def test_similarities_are_pulled_to_that_of_unrelated_sentences(contraction):
    points = contraction.tokens.query("sticky")["fixed_point"]
    # Nine-token sentences of one frame are more alike than sentences at large.
    assert points.median() < contraction.summary["mean_token_similarity"]


def test_the_screen_missed_next_to_nothing(contraction):
    screen = contraction.summary["screen"]
    assert screen["recall"] > 0.9
    assert screen["missed_at_most"] <= 2


def test_tokens_are_counted_in_the_users_text(place, contraction):
    tokens = contraction.tokens.set_index("token_id")
    the, known = ids_of(place / "model", ("the", "ვ"))
    # "the house ." is 3 tokens, "the ნ ვ ვ ." is 5 with one that this vocabulary lacks.
    assert tokens.loc[the, "occurrences"] == 110
    assert tokens.loc[known, "per_million"] == pytest.approx(1e6 * 20 / 350)
    assert tokens.loc[known, "per_million:odd"] == pytest.approx(1e6 * 20 / 50)
    assert tokens.loc[known, "per_million:calm"] == 0
    corpora = contraction.summary["corpora"]
    assert corpora["tokens"] == 350
    assert corpora["sticky_per_million"] >= 1e6 * 20 / 350


def test_the_report_shows_what_the_screen_missed_and_where_the_tokens_occur(contraction, tmp_path):
    contraction.save(tmp_path)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Tokens below the bar of the screen." in page
    assert "Categories of text that hold sticky tokens." in page
    assert repr(contraction) in page


def test_published_procedure_runs_whole_and_in_part_with_equal_numbers(place):
    options = {"method": "std", "sentences": [place / "0.txt"], "pairs_score": 1, "pairs_validate": 2,
               "insertions": 3, "shortlist": 5, **ON_CPU}  # fmt: skip
    whole = fx.find_sticky_tokens(place / "model", **options).tokens.set_index("token_id")
    shortlisted = whole.query("shortlisted")
    assert len(shortlisted) == pytest.approx(0.05 * whole["sticky_score"].notna().sum(), abs=1)
    asked = [int(shortlisted.index[-1]), *ids_of(place / "model", ["house", "ও"])]
    part = fx.find_sticky_tokens(place / "model", tokens=asked, **options).tokens.set_index("token_id")
    assert part.loc[asked, "sticky_score"].tolist() == whole.loc[asked, "sticky_score"].tolist()
    assert part.loc[asked[0], "validation"] == shortlisted.loc[asked[0], "validation"]
