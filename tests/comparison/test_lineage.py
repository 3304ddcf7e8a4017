"""Planted relations over a small trained tokenizer, and the longest common order against a slow one."""

import json
from itertools import combinations

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, trainers

from forensics.comparison.lineage import lineage
from forensics.comparison.merge_order import (
    compare_merges,
    compare_scores,
    longest_common_order,
    merges_in_bytes,
)
from forensics.comparison.vocabularies import compare_vocabularies, describe_pieces, ordinary_pieces
from forensics.schema.compare import Relation
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from tests.auditing.tokenizers_at_hand import at_hand


def trained(language, size=900):
    encoder = tokenizers.Tokenizer(models.BPE())
    encoder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    encoder.train_from_iterator(read_parallel_text(languages=[language]).lines[language], trainer)
    return json.loads(encoder.to_str())


@pytest.fixture(scope="module")
def english():
    return trained("eng_Latn")


def opened(folder, name, data):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(data))
    source = open_tokenizer(path)
    return source, build_vocabulary(source)


def with_merges(data, merges):
    """The same tokenizer with these merges, and the pieces that they and the alphabet give."""
    made = json.loads(json.dumps(data))
    vocab = {piece: token_id for piece, token_id in data["model"]["vocab"].items() if token_id <= 256}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    made["model"] |= {"vocab": vocab, "merges": [list(pair) for pair in merges]}
    return made


def relation(a, b):
    return lineage("A", "B", compare_vocabularies(a, b), compare_merges(a, b))


def test_identical_though_the_ids_are_shifted(tmp_path, english):
    a = opened(tmp_path, "a", english)
    assert relation(a, a).relation is Relation.IDENTICAL
    shifted = json.loads(json.dumps(english))
    vocab = shifted["model"]["vocab"]
    # The special token keeps its id, everything else is numbered by spelling.
    shifted["model"]["vocab"] = {p: n for n, p in enumerate(sorted(vocab, key=lambda p: (vocab[p] > 0, p)))}
    found = relation(a, opened(tmp_path, "b", shifted))
    assert found.relation is Relation.IDENTICAL
    assert "ids are equal" in found.sentence


def test_one_plus_more_in_either_order(tmp_path, english):
    merges = [tuple(pair) for pair in english["model"]["merges"]]
    small = opened(tmp_path, "small", with_merges(english, merges[:400]))
    large = opened(tmp_path, "large", with_merges(english, merges))
    for a, b, old, new in ((small, large, "A", "B"), (large, small, "B", "A")):
        found = relation(a, b)
        assert found.relation is Relation.EXTENDED
        assert found.sentence.startswith(f"{new} is {old} plus 243 pieces")
    assert compare_merges(small, large).common_prefix == 400


def test_a_class_taken_out_and_others_put_in(tmp_path, english):
    merges = [tuple(pair) for pair in english["model"]["merges"]]
    numbers = [("1", "2"), ("12", "3"), ("9", "9")]
    old = opened(tmp_path, "old", with_merges(english, [*merges[:300], *numbers]))
    new = opened(
        tmp_path,
        "new",
        with_merges(english, [*merges[:300], ("Q", "x"), ("Qx", "y"), ("Q", "z"), ("Z", "q")]),
    )
    found = relation(old, new)
    assert found.relation is Relation.COMMON_ANCESTOR
    assert found.sentence.startswith("B is A without the 3 numbers of 2 to 3 digits and with 4 pieces")


def test_strangers_show_no_sign(tmp_path, english):
    random = np.random.default_rng(0)
    # The same pieces, learned in another order: single letters joined, so that any order is possible.
    pairs = [
        (a, b) for a in "abcdefghijklmnopqrstuvwxyzABCDEFGH" for b in "abcdefghijklmnopqrstuvwxyzABCDEFGH"
    ]
    a = opened(tmp_path, "a", with_merges(english, pairs))
    b = opened(tmp_path, "b", with_merges(english, [pairs[i] for i in random.permutation(len(pairs))]))
    found = relation(a, b)
    assert found.relation is Relation.NO_SIGN
    half = [*pairs[:800], *[pairs[800 + i] for i in random.permutation(len(pairs) - 800)]]
    assert relation(a, opened(tmp_path, "c", with_merges(english, half))).relation is Relation.RELATED
    merges = compare_merges(a, b)
    assert merges.order_share == pytest.approx(merges.by_chance, abs=0.03)


def test_too_few_shared_merges_are_not_testable(tmp_path, english):
    a = opened(tmp_path, "a", with_merges(english, [("a", "b"), ("c", "d")]))
    b = opened(tmp_path, "b", with_merges(english, [("a", "b"), ("e", "f")]))
    assert relation(a, b).relation is Relation.NOT_TESTABLE


def test_no_order_at_all_and_order_of_scores():
    bert, unigram = at_hand("bert"), at_hand("unigram")
    pieces = compare_vocabularies(bert, unigram)
    assert compare_merges(bert, unigram) is None
    assert lineage("A", "B", pieces, None).relation is Relation.NOT_TESTABLE
    scores = compare_scores(unigram, unigram)
    found = lineage("A", "B", compare_vocabularies(unigram, unigram), None, scores)
    assert found.relation is Relation.IDENTICAL and "pieces by score" in found.sentence
    assert compare_scores(bert, unigram) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=9, unique=True))
def test_longest_common_order_by_trying_all(ranks):
    slow = max(
        (
            size
            for size in range(len(ranks) + 1)
            for chosen in combinations(ranks, size)
            if list(chosen) == sorted(chosen)
        ),
        default=0,
    )
    assert longest_common_order(ranks) == slow


def test_pieces_are_compared_by_bytes_and_split_into_three():
    byte_level, sentencepiece = at_hand("byte_level"), at_hand("sentencepiece_bpe")
    found = compare_vocabularies(byte_level, sentencepiece)
    of_a, of_b = set(ordinary_pieces(*byte_level)), set(ordinary_pieces(*sentencepiece))
    assert set(found.shared) == of_a & of_b and (b"a", False) in found.shared
    assert set(found.only_a) == of_a - of_b
    assert set(found.only_b) == of_b - of_a
    assert found.same_id == sum(one == other for one, other in found.shared.values())
    # SentencePiece writes a space as U+2581 and GPT-2 as Ġ; both stand for the same bytes.
    assert all(b"\xe2\x96\x81" not in data for data, _ in found.shared)
    assert merges_in_bytes(*byte_level)[0] == tuple(
        bytes(byte_level[1].bytes[byte_level[0].pieces.index(part)]) for part in byte_level[0].merges[0]
    )


def test_pieces_in_words():
    def said(*texts):
        return describe_pieces({(text.encode(), False): 0 for text in texts})

    assert said() == "nothing"
    assert said("10", "99") == "the 2 numbers of 2 digits"
    assert said("  ", "\n\n\n") == "the 2 runs of whitespace of 2 to 3 characters"
    assert said("--") == "the 1 pieces without letters or digits of 2 characters"
    assert said("a", "b", "c", "d1") == "4 pieces ('a', 'b', 'c', ...)"
