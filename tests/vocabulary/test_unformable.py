"""Merges that the way of cutting text never lets happen: planted ones found, learned ones left alone."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from forensics.sources import open_tokenizer
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE, piece_of_bytes
from forensics.sources.tokenizer_files.pretokenizers import LLAMA_CPP_NAMES
from forensics.vocabulary.merge_list import MergeList, build_merge_list
from forensics.vocabulary.splitting import Splitter
from forensics.vocabulary.unformable import unformable_merges

ALPHABET = list(CHARACTER_OF_BYTE.values())
CL100K = LLAMA_CPP_NAMES["llama-bpe"]


def splitter(pre_tokenizer: pre_tokenizers.PreTokenizer, normalizer: normalizers.Normalizer | None = None):
    return Splitter(normalizer, pre_tokenizer, False, True, "test", "test", True)


def byte_merges(*chains: str | bytes) -> MergeList:
    """Return a list that builds every one of `chains` byte by byte, from the left."""
    pairs = []
    for chain in chains:
        data = chain.encode() if isinstance(chain, str) else chain
        for end in range(1, len(data)):
            pairs.append((piece_of_bytes(data[:end]), piece_of_bytes(data[end : end + 1])))
    return build_merge_list(list(dict.fromkeys(pairs)), ALPHABET)


def found(merges: MergeList, how: Splitter, *, byte_level: bool = True) -> list[str]:
    """Return what the unformable merges make."""
    never = unformable_merges(merges, how, byte_level=byte_level)
    return [merges.symbols[number] for number in merges.result[never].tolist()]


def test_what_the_pattern_always_cuts_is_found_and_nothing_else() -> None:
    # GPT-4's pattern: three digits at most, no letter with a digit, no space behind a letter.
    merges = byte_merges("1234", " the", "a1", "'re", "...\n\n", "  ", "123", "x y")
    assert found(merges, splitter(CL100K.make())) == ["1234", "a1", "xĠ", "xĠy"]


def test_what_is_known_to_be_formable_is_not_tried_and_gives_the_same() -> None:
    merges, how = byte_merges("1234", " the", "a1", "'re", "x y"), splitter(CL100K.make())
    never = unformable_merges(merges, how, byte_level=True)
    formable = {merges.symbols[number] for number in merges.result[~never].tolist()}
    again = unformable_merges(merges, how, byte_level=True, formable=formable)
    assert again.tolist() == never.tolist()
    refusing = splitter(pre_tokenizers.Split(Regex(""), "isolated"))
    assert found(merges, refusing) == [merges.symbols[number] for number in merges.result.tolist()]
    by_word = unformable_merges(merges, refusing, byte_level=True, formable=formable)
    assert by_word.tolist() == never.tolist()


@pytest.mark.parametrize(
    ("pattern", "chain"),
    [
        # Only after a letter; only before one; only among digits; only after a letter of its own script.
        (r"(?<=a)bc|.", "bc"),
        (r"bc(?=a)|.", "bc"),
        (r"(?<=1)bc(?=1)|.", "bc"),
        (r"\p{L}\p{M}+\p{L}|.", "\u064e\u0646"),
    ],
)
def test_what_only_some_context_forms_is_formable(pattern: str, chain: str) -> None:
    how = splitter(
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    )
    assert found(byte_merges(chain), how) == []


def test_pieces_that_break_a_character_are_judged_by_their_whole_characters() -> None:
    cut = splitter(CL100K.make())
    # "12345" with the first byte of "é" behind it, and with the last byte of "é" before it.
    behind, before = b"12345" + b"\xc3", b"\xa9" + b"12345"
    assert piece_of_bytes(behind) in found(byte_merges(behind), cut)
    assert piece_of_bytes(before) in found(byte_merges(before), cut)
    # One whole character or none: nothing is known to be cut. A continuation too many is no text either way.
    for data in (b"1\xc3", b"\xa91", b"\xe4\xbd", b"\x80\x80\x80\x80", b"\xff\xfe"):
        assert found(byte_merges(data), cut) == []


def test_what_the_normalizer_rewrites_is_unformable() -> None:
    how = splitter(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), normalizers.NFC())
    decomposed = "e\u0301"
    assert piece_of_bytes(decomposed.encode()) in found(byte_merges(decomposed), how)
    assert found(byte_merges("\u00e9t"), how) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text("ab1 .'\né中-", min_size=4, max_size=30), min_size=3, max_size=12),
    st.sampled_from(["gpt-2", "llama-bpe", "gpt-4o", "qwen2", "falcon", "smollm"]),
)
def test_no_merge_that_training_made_under_a_rule_is_unformable_under_it(texts: list[str], rule: str) -> None:
    how = splitter(LLAMA_CPP_NAMES[rule].make())
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = how.pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=ALPHABET, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    merges = build_merge_list([tuple(pair) for pair in learned], ALPHABET)
    assert found(merges, how) == []


@pytest.mark.parametrize("split_digits", [True, False])
def test_no_merge_that_sentencepiece_made_is_unformable_under_its_rule(split_digits: bool, tmp_path) -> None:
    """The borders are SentencePiece's own: scripts, digits, marks without a letter, common characters."""
    import sentencepiece

    from forensics.vocabulary.merge_list import merge_list_of
    from forensics.vocabulary.splitting import splitter_of

    words = [
        "1.5",
        "2.5%",
        "(12)",
        "১২শ",
        "²a",
        "x²",
        "❤️",
        "كَنَ",
        "abc",
        "中文ー",
        "a1",
        "10,",
        "\uf0b7x",
        "é-e",
    ]
    lines = [" ".join(words[at:] + words[:at]) for at in range(len(words))] * 40
    data = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=data, vocab_size=120, model_type="bpe",
        character_coverage=1.0, split_digits=split_digits, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (tmp_path / "m.model").write_bytes(data.getvalue())
    source = open_tokenizer(tmp_path / "m.model")
    merges = merge_list_of(source)
    how = splitter_of(source, merges)
    assert len(merges) > 20
    assert found(merges, how, byte_level=False) == []
    # And the rule does forbid what the trainer would not have made.
    forbidden = build_merge_list([("a", "中"), ("a", "b"), ("ab", "中"), ("x", "▁")], [*merges.alphabet])
    assert found(forbidden, how, byte_level=False) == ["a中", "ab中", "x▁"]


def test_symbols_that_end_a_word_are_judged_without_their_mark() -> None:
    """CLIP's kind: `</w>` is written behind the last character and is no text."""
    how = splitter(pre_tokenizers.Whitespace())
    pairs = [("a", "b</w>"), ("a", "b"), (".", "a</w>"), ("ab", "c</w>"), (".", "a")]
    merges = build_merge_list(pairs, list("abc."), end_of_word="</w>")
    assert found(merges, how, byte_level=False) == [".a</w>", ".a"]
