import json

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.merge_list import build_merge_list, merge_list_of, merge_standings
from forensics.vocabulary.merges import merge_problems
from forensics.vocabulary.splitting import splitter_of
from forensics.vocabulary.unlearned import find_unlearned
from tests.sources.written_tokenizers import minilm, smollm2, write_gguf_tokenizer
from tests.vocabulary.vocabularies import byte_level_bpe, llama_kind


def problems(source):
    return {problem.kind: problem for problem in merge_problems(source, build_vocabulary(source))}


def test_a_plain_vocabulary_has_none(tmp_path):
    assert problems(byte_level_bpe(tmp_path, [("a", "b"), ("ab", "c")], added=["<s>"])) == {}


def test_several_pairs_for_one_piece_are_redundant(tmp_path):
    found = problems(byte_level_bpe(tmp_path, [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")]))
    assert found.keys() == {"redundant_merge"}
    assert found["redundant_merge"].examples == (
        {"piece": "abc", "pair": ("a", "bc"), "learned": ("ab", "c")},
    )


def test_entries_that_no_merge_makes_are_told(tmp_path):
    found = problems(byte_level_bpe(tmp_path, [("a", "b")], extra=["xyz"], added=["<s>"]))
    assert found["token_without_merge"].count == 1
    assert found["token_without_merge"].examples[0]["piece"] == "xyz"


def test_merges_that_the_splitting_forbids_are_told(tmp_path):
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)])
    found = problems(byte_level_bpe(tmp_path, [("1", "2"), ("a", "b"), ("x", "Ġ")], pre_tokenizer=digits))
    assert [e["piece"] for e in found["unformable_merge"].examples] == ["12", "xĠ"]


def test_merges_that_the_normalizer_forbids_are_told(tmp_path):
    merges = [("e", "Ì"), ("eÌ", "ģ"), ("a", "b")]
    found = problems(byte_level_bpe(tmp_path, merges, normalizer=normalizers.NFC()))
    assert [e["piece"] for e in found["unformable_merge"].examples] == ["eÌģ"]


def test_ids_of_the_same_bytes_are_told(tmp_path):
    found = problems(llama_kind(tmp_path, ["▁", "a"], []))
    assert {tuple(e["pieces"]) for e in found["duplicate_bytes"].examples} == {
        ("<0x20>", "▁"),
        ("<0x61>", "a"),
    }


def test_a_repeated_pair_and_a_repeated_piece_are_told(tmp_path):
    tokens = [*byte_level_bpe(tmp_path, [("a", "b")]).pieces, "ab"]
    path = write_gguf_tokenizer(tmp_path / "m.gguf", "gpt2", tokens, merges=["a b", "a b"], pre="gpt-2")
    found = problems(open_tokenizer(path))
    assert found["repeated_merge"].examples == (("a", "b"),)
    assert found["duplicate_piece"].examples == ({"piece": "ab", "token_ids": [256, 257]},)


def test_word_starts_and_continuations_are_no_duplicates():
    assert problems(open_tokenizer(minilm())) == {}


def test_the_demo_model_is_clean_and_problems_are_json(tmp_path):
    assert problems(open_tokenizer(smollm2())) == {}
    (problem,) = problems(byte_level_bpe(tmp_path, [], extra=["xyz"])).values()
    assert json.loads(json.dumps(problem.as_dict()))["count"] == 1


def test_the_mixture_counts_the_same(tmp_path):
    """One merge of three characters whose last is half: `tokens` found 1 unformable, `mixture` 2."""
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)])
    source = byte_level_bpe(tmp_path, [("x", "1"), ("x1", "Ã"), ("a", "b")], ["xyz"], digits)
    merges = merge_list_of(source)
    unlearned = find_unlearned(source, merges, splitter_of(source, merges))
    found = problems(source)
    assert found["unformable_merge"].count == int(unlearned.unformable.sum()) == 2
    assert found["token_without_merge"].count == len(unlearned.added_undeclared) == 1


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.text("ab", min_size=1, max_size=3))))
def test_every_stored_merge_is_counted_once(pairs):
    standing = merge_standings(pairs, list("ab"))
    merges = build_merge_list(pairs, list("ab"))
    assert len(standing) == len(pairs) == len(merges) + sum(merges.dropped.values())
    assert [pair for pair, at in zip(pairs, standing, strict=True) if at == "learned"] == [
        merges.pair(step) for step in range(len(merges))
    ]


def test_a_rule_that_is_not_known_is_said(tmp_path):
    tokens = [*byte_level_bpe(tmp_path, [("x", "1")]).pieces]
    path = write_gguf_tokenizer(tmp_path / "m.gguf", "gpt2", tokens, merges=["x 1"], pre="nobody-knows")
    found = problems(open_tokenizer(path))
    assert found.keys() == {"unexamined_merges"}
    assert found["unexamined_merges"].count == 1
