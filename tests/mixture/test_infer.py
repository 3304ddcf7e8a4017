"""The whole inference on tokenizers of known mixtures, and what it says when there is nothing to say."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from forensics.errors import BadInputError
from forensics.mixture.baselines import encoding_efficiency, token_classification
from forensics.mixture.counts import count_merges
from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.pair_evidence import Denominator
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.mixture.result import Method
from forensics.sources.texts.corpora import find_corpora, read_corpus
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from forensics.vocabulary.merge_list import MergeList, build_merge_list
from forensics.vocabulary.splitting import Splitter

BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
BY_LINE = Splitter(None, BYTE_LEVEL, True, True, "GPT-2's pattern", "ByteLevel by line", True)
NAMES = ("languages/de", "languages/en", "languages/ru", "code/python")
TRUTH = np.array([0.2, 0.4, 0.1, 0.3])


def sides(name: str) -> tuple[list[str], str]:
    """Return the lines for training and the text for counting: every other line each."""
    corpus = next(each for each in find_corpora(["demo"]) if each.name == name)
    lines = "".join(read_corpus(corpus)).splitlines(keepends=True)
    return lines[::2], "".join(lines[1::2])


@cache
def training_text() -> tuple[list[str], np.ndarray]:
    """Return lines in known shares, and the shares."""
    text, sizes = [], []
    for name, share in zip(NAMES, TRUTH, strict=True):
        taken = 0
        for line in sides(name)[0]:
            if taken >= share * 150_000:
                break
            text.append(line)
            taken += len(line.encode())
        sizes.append(taken)
    return text, np.array(sizes) / sum(sizes)


@cache
def trained(merges: int = 1200) -> tuple[MergeList, tuple[PretokenCounts, ...], tuple[float, ...]]:
    """Return a tokenizer's merges, the counted categories and the true shares."""
    text, shares = training_text()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = BYTE_LEVEL
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        text, trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    pairs = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in model["merges"]]
    counted = tuple(count_pretokens(name, [sides(name)[1]], BY_LINE) for name in NAMES)
    return build_merge_list(pairs, list(model["vocab"])), counted, tuple(shares)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("denominator", list(Denominator))
def test_a_known_mixture_is_found(method: Method, denominator: Denominator) -> None:
    merges, counted, truth = trained()
    found = infer_proportions(
        counted, merges, InferencePlan(method=method, denominator=denominator, most_merges=600, explain=3)
    )
    assert sum(found.proportions.values()) == pytest.approx(1)
    error = np.array(list(found.proportions.values())) - truth
    assert np.log10(np.mean(error**2)) < -3.4
    assert found.groups["code"] == pytest.approx(truth[3], abs=0.05)
    assert not found.doubts


def test_it_is_far_better_than_both_baselines() -> None:
    merges, counted, truth = trained()
    found = infer_proportions(counted, merges, InferencePlan(baselines=True, explain=0))
    error = {
        name: np.mean((np.array(list(guess.values())) - truth) ** 2)
        for name, guess in found.baselines.items()
    }
    own = np.mean((np.array(list(found.proportions.values())) - truth) ** 2)
    assert set(error) == {"tee", "tc"}
    assert own < min(error.values()) / 10


def test_both_methods_are_given_when_asked_for() -> None:
    merges, counted, truth = trained()
    found = infer_proportions(counted, merges, InferencePlan(compare=True, most_merges=300, explain=0))
    assert found.method is Method.CURVE
    assert found.other_method is not None
    assert np.abs(np.array(list(found.other_method.values())) - truth).max() < 0.05


def test_merges_at_the_start_can_be_left_unexplained() -> None:
    merges, counted, truth = trained()
    found = infer_proportions(counted, merges, InferencePlan(skip=100, most_merges=900, explain=0))
    assert (found.skipped, found.merges_used, found.steps.min()) == (100, 800, 100)
    assert np.abs(np.array(list(found.proportions.values())) - truth).max() < 0.05


def test_the_number_of_merges_follows_the_amount_of_text() -> None:
    merges, counted, _ = trained()
    thin = [PretokenCounts(c.name, dict(list(c.words.items())[::20]), c.nbytes // 20) for c in counted]
    few = infer_proportions(thin, merges, InferencePlan(explain=0))
    assert few.merges_used < infer_proportions(counted, merges, InferencePlan(explain=0)).merges_used
    assert any("later ones are expected fewer than ten times" in note for note in few.notes)


def test_more_merges_than_there_are_is_said() -> None:
    merges, counted, _ = trained()
    found = infer_proportions(counted, merges, InferencePlan(most_merges=99_999, explain=0))
    assert found.merges_used == len(merges)
    assert "99,999 merges were asked for and the tokenizer has 1,200: all were used" in found.notes


def test_a_missing_category_shows_in_the_unexplained_merges() -> None:
    merges, counted, _ = trained()
    found = infer_proportions(
        [c for c in counted if c.name != "languages/ru"], merges, InferencePlan(most_merges=800, explain=20)
    )
    whole = infer_proportions(counted, merges, InferencePlan(most_merges=800, explain=20))
    assert found.missing_merges > whole.missing_merges + 20
    # The merges that occur in none of the texts are those of the alphabet that was left out.
    spelt = [bytes_of_piece("".join(merges.pair(step))) or b"" for step in found.missing_steps]
    assert sum(piece.strip()[:1] in (b"\xd0", b"\xd1") for piece in spelt) >= 15


def test_text_that_explains_nothing_gives_doubts_and_not_only_shares() -> None:
    merges, counted, _ = trained()
    cyrillic = next(c for c in counted if c.name == "languages/ru")
    words = list(cyrillic.words.items())
    halves = [PretokenCounts(str(n), dict(words[n::2]), cyrillic.nbytes // 2) for n in range(2)]
    assert infer_proportions(halves, merges, InferencePlan(explain=0)).doubts


def test_equal_empty_and_single_categories_are_refused() -> None:
    merges, counted, _ = trained()
    twin = PretokenCounts("twin", counted[0].words, counted[0].nbytes)
    with pytest.raises(BadInputError, match="categories languages/de and twin: hold the same text"):
        infer_proportions([counted[0], twin], merges)
    with pytest.raises(BadInputError, match="category nothing: no text in it"):
        infer_proportions([counted[0], PretokenCounts("nothing", {}, 0)], merges)
    with pytest.raises(BadInputError, match="1 given; proportions need two or more"):
        infer_proportions(counted[:1], merges)
    with pytest.raises(BadInputError, match="nothing left to explain"):
        infer_proportions(counted, merges, InferencePlan(skip=len(merges)))


def test_the_baselines_are_what_their_definition_says() -> None:
    merges = build_merge_list([("a", "b"), ("c", "d"), ("ab", "a")], list("abcd"))
    texts = [{"ab": 4}, {"cd": 1, "ab": 1}]
    counts = [count_merges(spell_words(text, merges), merges) for text in texts]
    # 8 bytes in 4 tokens, 4 bytes in 2 tokens; ab is most frequent in the first, cd in the second.
    assert encoding_efficiency(counts, [8, 4]).tolist() == [0.5, 0.5]
    assert token_classification(counts, [8, 4]).tolist() == [0.5, 0.5]
