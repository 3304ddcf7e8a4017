"""Damaged character maps are told from sound ones: what passes makes the library panic at no text."""

import io
import random
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.sources.tokenizer_files.character_map import is_sound, refuse_unsound_maps

tokenizers = pytest.importorskip("tokenizers")
TEXTS = [chr(code) for code in range(1, 0x10FFFF, 61) if not 0xD800 <= code < 0xE000]
TEXTS += ["\u0065\u0301", "\u1100\u1161\u11a8", "\ufdfa", "\u3392", "ｶﾞ"]


def map_of(rule):
    sentencepiece = pytest.importorskip("sentencepiece")
    from forensics.sources.tokenizer_files.sentencepiece_proto import parse_model

    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a text of few words"] * 9), model_writer=stream, vocab_size=20,
        hard_vocab_limit=False, model_type="bpe", minloglevel=2, normalization_rule_name=rule,
    )  # fmt: skip
    return parse_model(Path("m"), stream.getvalue()).charsmap


@pytest.mark.parametrize("rule", ["nmt_nfkc", "nfkc_cf"])
def test_the_maps_of_sentencepiece_are_sound(rule):
    assert is_sound(map_of(rule))


@pytest.mark.parametrize("table", [b"", b"\0\0\0\0", b"\4\0\0\0\xff\xff\xff\x7f", b"\xff" * 40])
def test_scraps_are_not(table):
    assert not is_sound(table)


def test_no_map_that_passes_makes_the_library_panic(capfd):
    """The library itself is the oracle, over characters of all planes."""
    sound, rng, seen = map_of("nmt_nfkc"), random.Random(5), {True: 0, False: 0}
    for _ in range(40):
        table = bytearray(sound)
        for _ in range(rng.choice((1, 3, 30))):
            table[rng.randrange(4, len(table))] = rng.randrange(256)
        passes = is_sound(bytes(table))
        seen[passes] += 1
        try:
            normalizer = tokenizers.normalizers.Precompiled(bytes(table))
        except Exception:  # the replacements are no UTF-8: refused by the library in words
            continue
        if passes:
            for text in TEXTS:
                normalizer.normalize_str(text)
    assert min(seen.values()) > 0
    capfd.readouterr()


def test_a_damaged_map_is_refused_wherever_it_stands():
    damaged = tokenizers.normalizers.Precompiled(b"\4\0\0\0\xff\xff\xff\x7f")
    encoder = tokenizers.Tokenizer(tokenizers.models.BPE())
    refuse_unsound_maps(Path("file"), encoder)
    encoder.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.NFC(), damaged])
    with pytest.raises(BadInputError, match="file: its precompiled character map is damaged"):
        refuse_unsound_maps(Path("file"), encoder)
