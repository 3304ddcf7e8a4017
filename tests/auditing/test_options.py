"""Morphology, prune plan, word share and the difference of templates."""

import itertools

import numpy as np
import pytest

from forensics.auditing.kinds import vocabulary_kinds
from forensics.auditing.morphology import morphology_score, word_borders
from forensics.auditing.prune_plan import prune_plan, word_share
from forensics.auditing.template_difference import compare_templates
from forensics.schema.compare import TemplateRelation
from forensics.vocabulary.build import build_vocabulary
from tests.auditing.templates import CHATML, THINKING
from tests.auditing.tokenizers_at_hand import at_hand, spelt
from tests.vocabulary.vocabularies import byte_level_bpe


def opened(folder, *args, **options):
    source = byte_level_bpe(folder, *args, **options)
    return source, build_vocabulary(source)


PLANTED = [
    ("u", "n"),
    ("Ġ", "un"),
    ("d", "o"),
    ("n", "e"),
    ("do", "ne"),
    ("Ġ", "c"),
    ("Ġc", "a"),
    ("Ġca", "t"),
]


def test_planted_boundaries(tmp_path):
    source, vocabulary = opened(tmp_path, PLANTED)
    assert word_borders(source.encoder, vocabulary, ["undone", "cat", "doneun"]) == [
        frozenset({2}),
        None,
        frozenset({4}),
    ]
    # undone is cut as un|done. Against un|do|ne one of two boundaries is found; cat is one token.
    found = morphology_score(source.encoder, vocabulary, [["un", "do", "ne"], ["cat"]])
    assert (found.words, found.single_token) == (1, 1)
    assert (found.precision, found.recall) == (1, 0.5)
    assert found.f1 == pytest.approx(2 / 3)
    # One cut at any of five places meets two boundaries.
    assert found.chance_f1 == pytest.approx(2 * (1 * 2 / 5) / 3)


def test_chance_level_is_that_of_all_ways_of_cutting(tmp_path):
    source, vocabulary = opened(tmp_path, [("a", "b"), ("c", "d")])
    gold = ["abc", "dc"]
    found = morphology_score(source.encoder, vocabulary, [gold])
    (cuts,) = word_borders(source.encoder, vocabulary, ["abcdc"])
    ways = list(itertools.combinations(range(1, 5), len(cuts)))
    hits = np.mean([3 in way for way in ways])
    assert found.chance_f1 == pytest.approx(2 * hits / (len(cuts) + 1))


def test_borders_inside_a_character_do_not_count(tmp_path):
    source, vocabulary = opened(tmp_path, [])
    (cuts,) = word_borders(source.encoder, vocabulary, ["né"])
    assert cuts == {1}


@pytest.mark.parametrize("name", ["sentencepiece_bpe", "unigram", "bert"])
def test_borders_add_up_to_the_tokens_of_other_kinds(name):
    source, vocabulary = at_hand(name)
    (cuts,) = word_borders(source.encoder, vocabulary, ["rightsfreedom"])
    pieces = source.encoder.encode("rightsfreedom", add_special_tokens=False).tokens
    lone = pieces[0] == "\u2581"
    assert len(cuts) == len(pieces) - 1 - lone


def test_prune_plan_keeps_what_merges_need(tmp_path):
    merges = [("a", "b"), ("ab", "c"), ("x", "y"), ("xy", "z")]
    source, vocabulary = opened(tmp_path, merges, added=["<|end|>"])
    ids = {piece: token_id for token_id, piece in enumerate(source.pieces)}
    plan = prune_plan(source, vocabulary, {ids["abc"]}, tokens=300)
    assert plan.removable.tolist() == [ids["xy"], ids["xyz"]]
    assert plan.needed_by_merges == 1  # ab
    assert plan.rate_bound == pytest.approx(0.01)
    assert plan.parameters_saved(64, tied=True) == 128
    assert plan.parameters_saved(64, tied=False) == 256


def test_pruned_pieces_are_never_given_to_the_text():
    source, vocabulary = at_hand("byte_level")
    text = "All human beings are born free and equal in dignity and rights."
    encoding = source.encoder.encode(text)
    plan = prune_plan(source, vocabulary, set(encoding.ids), len(encoding.ids))
    removed = {source.pieces[i] for i in plan.removable.tolist()}
    # The slow way: apply the merges left over, in order, to every pre-token.
    left = [pair for pair in source.merges if "".join(pair) not in removed]
    given = []
    for word, _ in source.encoder.pre_tokenizer.pre_tokenize_str(text):
        parts = list(word)
        for one, other in left:
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (one, other):
                    parts[at : at + 2] = [one + other]
                at += 1
        given += parts
    assert given == encoding.tokens


def test_share_of_words(tmp_path):
    source, vocabulary = opened(
        tmp_path, [], extra=[spelt(" Cat"), "dog", "xq", spelt(" né"), "a1"], added=["bird"]
    )
    found = word_share(
        vocabulary, vocabulary_kinds(source, vocabulary).begins_word, ["cat", "DOG", "bird", "né", "cow"]
    )
    assert (found.pieces, found.words) == (4, 3)  # Cat, dog, xq, né
    assert (found.listed, found.covered) == (5, 2)  # cat and né begin a word


def test_templates_as_text_and_as_trees():
    assert compare_templates(CHATML, CHATML).relation is TemplateRelation.IDENTICAL
    spaced = CHATML.replace("{% for message", "{#- a remark -#}{%   for message")
    assert compare_templates(CHATML, spaced).relation is TemplateRelation.COSMETIC
    broken = compare_templates(CHATML, "{{ x")
    assert broken.relation is TemplateRelation.UNDECIDED and broken.error is not None
    for hostile in ("a" * 50_000_000, "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}"):
        found = compare_templates(hostile, CHATML)
        assert found.relation is TemplateRelation.UNDECIDED and len(found.error or "") < 100


def test_what_differs_between_templates():
    found = compare_templates(CHATML, THINKING)
    assert found.relation is TemplateRelation.DIFFERENT
    assert "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n" in found.literals_a
    assert "tools" in found.variables_b and "tools" not in found.variables_a
    assert "</think>" in found.content_b and found.roles == {}
    without_tools = CHATML.replace(
        "{{ '<|im_start|>' + m", "{% if message['role'] != 'tool' %}{{ '<|im_start|>' + m"
    )
    without_tools = without_tools.replace("{% endfor %}", "{% endif %}{% endfor %}")
    assert compare_templates(CHATML, without_tools).roles == {"tool": "written / dropped"}
