import collections
import json

import numpy as np
import pytest
from tokenizers import normalizers, pre_tokenizers

from forensics.progress import Progress
from forensics.schema.words import Category
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary, byte_role
from tests.sources.written_tokenizers import minilm, smollm2
from tests.vocabulary.vocabularies import byte_level_bpe, llama_kind, unigram, wordpiece


def entry(source, vocabulary, piece):
    """Category, context and re-encoding of one piece."""
    token_id = source.pieces.index(piece)
    given = vocabulary.reencoded.get(token_id)
    return (
        str(vocabulary.category[token_id]),
        vocabulary.context[token_id],
        None if given is None else [source.pieces[i] for i in given],
    )


def test_byte_level_categories(tmp_path):
    source = byte_level_bpe(
        tmp_path,
        [("a", "b"), ("Ã", "©"), ("Ã", "Ã"), ("1", "2")],
        extra=["ba", "xyz"],
        pre_tokenizer=pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)]),
        added=["<|end|>"],
    )
    vocabulary = build_vocabulary(source)
    assert entry(source, vocabulary, "ab") == ("ok", "", None)
    assert entry(source, vocabulary, "Ã©") == ("ok", "", None)
    assert entry(source, vocabulary, "ÃÃ") == ("undecodable", None, None)
    assert entry(source, vocabulary, "Ã") == ("undecodable", None, None)
    assert entry(source, vocabulary, "12") == ("unreachable_multi", None, ["1", "2"])
    assert entry(source, vocabulary, "ba") == ("unreachable_multi", None, ["b", "a"])
    assert entry(source, vocabulary, "<|end|>") == ("ok_special", "", None)
    counts = vocabulary.counts()
    assert (counts["single_byte"], counts["partial_utf8"], counts["unreachable"], counts["special"]) == (
        256,
        1,
        3,
        1,
    )
    assert sum(counts[category] for category in Category) == len(vocabulary) == len(source.pieces)


def test_a_normalizer_makes_tokens_unreachable(tmp_path):
    decomposed = [("e", "Ì"), ("eÌ", "ģ")]  # e, then U+0301
    source = byte_level_bpe(tmp_path, [*decomposed, ("Ã", "©")], normalizer=normalizers.NFC())
    vocabulary = build_vocabulary(source)
    assert entry(source, vocabulary, "eÌģ") == ("unreachable_single", None, ["Ã©"])
    assert entry(source, vocabulary, "eÌ")[0] == "undecodable"


def test_byte_fallback_categories(tmp_path):
    source = llama_kind(tmp_path, ["▁", "a", "b", "▁a", "ab", "zz"], [("▁", "a"), ("a", "b")])
    vocabulary = build_vocabulary(source)
    assert entry(source, vocabulary, "a") == ("ok", "", None)
    assert entry(source, vocabulary, "▁a") == ("ok", "", None)
    assert entry(source, vocabulary, "ab") == ("ok", "", None)
    assert entry(source, vocabulary, "zz") == ("unreachable_multi", None, ["<0x7A>", "<0x7A>"])
    assert entry(source, vocabulary, "<0x61>") == ("unreachable_single", None, ["a"])
    assert entry(source, vocabulary, "<0x7A>") == ("ok", "", None)
    assert entry(source, vocabulary, "<0x80>") == ("undecodable", None, None)
    assert entry(source, vocabulary, "<s>") == ("ok_special", "", None)
    counts = vocabulary.counts()
    # "▁", "a" and "b" are single bytes beside the 256; of them and <0x61> none counts as unreachable.
    assert (counts["single_byte"], counts["unreachable"], counts["unreachable_single"]) == (259, 1, 3)


def test_the_context_that_reaches_a_continuation_is_named(tmp_path):
    source = wordpiece(tmp_path, ["c", "cat", "a", "q", "##at", "##,", ",", "Cat", "##s", "cats", "as", "qs"])
    vocabulary = build_vocabulary(source)
    # After "c" the longer "cat" wins and after "a" nothing does: a letter is found all the same.
    assert entry(source, vocabulary, "##at")[:2] == ("ok", "letter")
    assert entry(source, vocabulary, "##,") == ("unreachable_single", None, [","])
    assert entry(source, vocabulary, "Cat") == ("unreachable_single", None, ["cat"])
    # "as" and "qs" are words and no other letter is in this vocabulary: nothing reaches it.
    assert entry(source, vocabulary, "##s")[:2] == ("unreachable_single", None)


def test_a_space_that_is_stripped_is_reached_at_the_start(tmp_path):
    source = unigram(tmp_path, [("▁", -3.0), ("a", -2.0), ("▁a", -1.0), ("b", -9.0), ("ab", -1.0)])
    vocabulary = build_vocabulary(source)
    assert entry(source, vocabulary, "▁a") == ("ok", "start", ["a"])
    assert entry(source, vocabulary, "a") == ("ok", "", None)


def test_rows_past_the_tokenizer_and_gaps_are_unused(tmp_path):
    source = byte_level_bpe(tmp_path, [])
    vocabulary = build_vocabulary(source, rows=260)
    assert vocabulary.category[256:].tolist() == ["unused_row"] * 4
    assert vocabulary.tokenizer_size == 256
    assert len(build_vocabulary(source, rows=10)) == 256
    data = json.loads(source.encoder.to_str())
    data["model"]["vocab"]["gap"] = 258
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    gapped = build_vocabulary(open_tokenizer(tmp_path))
    assert gapped.category[256:].tolist() == ["unused_row", "unused_row", "unreachable_multi"]


def test_byte_roles_follow_rfc_3629():
    roles = collections.Counter(byte_role(bytes([byte])) for byte in range(256))
    assert roles == {"ascii": 128, "continuation": 64, "lead": 51, "never_valid": 13}
    assert [byte_role(data) for data in (None, b"", b"ab")] == [None] * 3
    valid = {
        byte
        for code in range(0x80, 0x110000, 16)
        if not 0xD800 <= code < 0xE000
        for byte in chr(code).encode()[:1]
    }
    assert {byte for byte in range(256) if byte_role(bytes([byte])) == "lead"} == valid


def test_the_table_has_one_row_per_id(tmp_path):
    source = byte_level_bpe(tmp_path, [("Ġ", "a")], extra=["<unused0>"], added=["<|end|>"])
    table = build_vocabulary(source, rows=300).table()
    assert list(table.columns[:9]) == [
        "token_id", "piece", "text", "bytes", "category", "is_byte", "is_special", "is_added", "script",
    ]  # fmt: skip
    assert table.token_id.tolist() == list(range(300))
    row = table.loc[source.pieces.index("Ġa")]
    assert (row.piece, row.text, row.bytes, row.category, row.script) == ("Ġa", " a", b" a", "ok", "Latin")
    row = table.loc[source.pieces.index("<unused0>")]
    assert (row.reserved, row.category) == ("unused", "unreachable_multi")
    assert json.loads(row.reencodes_to) == [source.pieces.index(character) for character in "<unused0>"]
    assert table.loc[299].isna()[["text", "bytes", "reserved", "context", "reencodes_to"]].all()
    assert table.byte_role.value_counts()["never_valid"] == 13


def test_smollm2(tmp_path):
    """Every ordinary entry of the demo model is reached; each multi-byte part of a character is told."""
    source = open_tokenizer(smollm2())
    vocabulary = build_vocabulary(source)
    counts = vocabulary.counts()
    assert sum(counts[category] for category in Category) == 49152
    assert (counts["ok_special"], counts["special"], counts["unused_row"]) == (17, 17, 0)
    # Its vocabulary lacks 21 of the 256 bytes.
    assert counts["single_byte"] == len({data for data in vocabulary.bytes if len(data) == 1}) == 235
    for token_id in np.flatnonzero(vocabulary.is_partial_utf8):
        with pytest.raises(UnicodeDecodeError):
            vocabulary.bytes[token_id].decode()


def test_minilm_reserved_entries_are_unreachable():
    source = open_tokenizer(minilm())
    vocabulary = build_vocabulary(source)
    unused = [token_id for token_id, word in enumerate(vocabulary.reserved) if word]
    assert len(unused) == 994
    assert set(vocabulary.category[unused].tolist()) == {"unreachable_multi"}
    assert entry(source, vocabulary, "##ing") == ("ok", "letter", ["ing"])


def test_the_slow_way_gives_the_same_categories(tmp_path):
    """One token at a time, with nothing but `encode`."""
    source = open_tokenizer(minilm())
    vocabulary = build_vocabulary(source)
    for token_id in range(0, len(vocabulary), 37):
        text = source.pieces[token_id].removeprefix("##")
        tried = ["", " ", "a", "q", "Z", "я", "1", "\n", "."]
        given = [source.encoder.encode(before + text, add_special_tokens=False).ids for before in tried]
        alone = given[0] == [token_id]
        reached = alone or any(ids[-1:] == [token_id] and ids != [token_id] for ids in given[1:])
        assert (vocabulary.context[token_id] == "") == alone
        assert (vocabulary.context[token_id] is not None) == reached


def test_progress_counts_tokens(tmp_path):
    progress = Progress()
    build_vocabulary(byte_level_bpe(tmp_path, []), progress=progress)
    assert list(progress.seconds) == ["encoding every token"]
