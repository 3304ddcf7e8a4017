import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models

from forensics.audit.encoded_text import encode_lines
from forensics.audit.languages import audit_languages, dropped_characters, split_characters
from forensics.audit.round_trip import decoder_of, round_trip
from forensics.audit.unknown import is_byte_complete, unknown_ids
from forensics.errors import BadInputError
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.vocabulary.build import build_vocabulary
from tests.audit.tokenizers_at_hand import at_hand
from tests.sources.written_tokenizers import texts
from tests.vocabulary.vocabularies import byte_level_bpe, saved

PARALLEL = {
    "eng_Latn": tuple(f"All people number {i} are free" for i in range(60)),
    "fra_Latn": tuple(f"Tous les êtres humains numéro {i} sont libres" for i in range(60)),
    "zho_Hans": tuple(f"人人生而自由{i}" for i in range(60)),
}


def slow_split(vocabulary, encoded):
    """Characters with a token border inside their bytes."""
    count = 0
    ids = encoded.ids_of_lines()
    for line, line_ids in zip(encoded.lines, ids, strict=True):
        borders = set(np.cumsum([len(vocabulary.bytes[token_id]) for token_id in line_ids]).tolist())
        at = 0
        for character in line:
            size = len(character.encode())
            count += any(at < border < at + size for border in borders)
            at += size
    return count


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, min_size=1, max_size=3))
def test_split_characters_have_a_border_inside(lines):
    source, vocabulary = at_hand("byte_level")
    encoded = encode_lines(source.encoder, lines)
    partial = np.array([text is None for text in vocabulary.text])
    assert split_characters(encoded, partial) == slow_split(vocabulary, encoded)


def test_automatic_space_splits_no_character():
    source, vocabulary = at_hand("sentencepiece_bpe")
    partial = np.array(
        [bool(data) and text is None for data, text in zip(vocabulary.bytes, vocabulary.text, strict=True)]
    )
    encoded = encode_lines(source.encoder, ["\u4e2d\u4e2d"])  # byte fallback: three tokens each
    assert source.encoder.encode("\u4e2d").tokens[0] == "\u2581"
    assert split_characters(encoded, partial) == 2
    assert split_characters(encode_lines(source.encoder, ["human"]), partial) == 0


@pytest.mark.parametrize("name", ["byte_level", "sentencepiece_bpe", "unigram", "bert", "smollm2"])
def test_every_kind_gives_figures_that_add_up(name):
    source, vocabulary = at_hand(name)
    found = audit_languages(source, vocabulary, PARALLEL)
    assert [one.premium.value for one in found.languages] == sorted(
        (one.premium.value for one in found.languages), reverse=True
    )
    for one in found.languages:
        lines = PARALLEL[one.language]
        counts = [len(source.encoder.encode(line, add_special_tokens=False).ids) for line in lines]
        assert one.tokens == sum(counts) == one.counts.sum()
        assert one.line_lengths.tolist() == counts
        assert one.bytes_per_token == pytest.approx(len("".join(lines).encode()) / sum(counts))
        assert one.characters_per_token == pytest.approx(len("".join(lines)) / sum(counts))
        assert (one.unknown is None) == ("unknown" in one.not_applicable)
        assert (one.words is None) == ("words" in one.not_applicable) == (one.language == "zho_Hans")
        assert 0 <= one.split_characters <= 1


def test_unknown_text_is_struck_from_median_and_maximum():
    source, vocabulary = at_hand("unigram")
    strange = {**PARALLEL, "sat_Olck": tuple("ᱥ ᱦ ᱧ ᱨ ᱩ ᱪ ᱫ ᱬ" for _ in range(60))}
    found = audit_languages(source, vocabulary, strange)
    by_name = {one.language: one for one in found.languages}
    santali = by_name["sat_Olck"]
    assert santali.struck and santali.unknown == 0.5
    assert santali.round_trip.exact == 0
    told = [by_name[name].premium.value for name in ("fra_Latn", "zho_Hans") if not by_name[name].struck]
    assert found.median_premium == pytest.approx(np.median(told))
    assert found.highest != "sat_Olck"


def test_unknown_tokens_are_counted_from_the_files_word(tmp_path):
    source, vocabulary = at_hand("bert")
    assert unknown_ids(source).tolist() == [source.encoder.token_to_id("[UNK]")]
    assert not is_byte_complete(vocabulary)
    byte_level = at_hand("byte_level")[1]
    assert is_byte_complete(byte_level)


def test_text_dropped_without_an_unknown_token_is_struck(tmp_path):
    # A BPE of ten letters and no unknown token: the library drops every other character.
    encoder = tokenizers.Tokenizer(models.BPE({letter: i for i, letter in enumerate("abcdefghij")}, []))
    source = saved(tmp_path, encoder)
    text = {"eng_Latn": ["abcdef"] * 50, "und_Latn": ["abcxyzwvu"] * 50, "xxx_Latn": ["xyz"] * 50}
    found = audit_languages(source, build_vocabulary(source), text)
    by_name = {one.language: one for one in found.languages}
    assert [by_name[name].dropped for name in text] == pytest.approx([0, 6 / 9, 1])
    assert [by_name[name].struck for name in text] == [False, True, True]
    assert by_name["und_Latn"].unknown is None and "dropped" in by_name["und_Latn"].not_applicable["unknown"]
    assert found.median_premium is None and found.highest is None


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=3))
def test_no_character_is_dropped_by_a_byte_level_tokenizer(lines):
    source, _ = at_hand("byte_level")
    assert dropped_characters(encode_lines(source.encoder, lines)) == 0


def test_coverage_counts_letters_that_are_a_token(tmp_path):
    source = byte_level_bpe(tmp_path, [("Ã", "©")])
    found = audit_languages(source, build_vocabulary(source), {"eng_Latn": ["éa à! é 1"]})
    (one,) = found.languages
    # é, a, 1 are tokens; à is two; the exclamation mark and the spaces are no part of the alphabet.
    assert one.coverage.characters == 4
    assert one.coverage.types == pytest.approx(3 / 4)
    assert one.coverage.occurrences == pytest.approx(4 / 5)


def test_reference_language_must_be_there():
    with pytest.raises(BadInputError, match="deu_Latn"):
        audit_languages(*at_hand("byte_level"), PARALLEL, reference="deu_Latn")


@settings(deadline=None, max_examples=40)
@given(texts)
def test_byte_level_text_comes_back_with_and_without_a_decoder(text):
    for name in ("byte_level", "smollm2"):
        source, vocabulary = at_hand(name)
        if name == "smollm2" and not text.isascii():
            continue  # it lacks some bytes
        decode = decoder_of(source, vocabulary)
        ids = [source.encoder.encode(text, add_special_tokens=False).ids]
        assert decode(ids) == [text]


def test_round_trip_of_lossy_tokenizers():
    for name, exact, nearly in (("bert", 0, 0), ("sentencepiece_bpe", 1, 2)):
        source, vocabulary = at_hand(name)
        given_texts = ["Human rights, all", "human rights"] if name == "bert" else [" all", "all people"]
        given_texts = given_texts[:1] if name == "bert" else given_texts
        ids = [
            encoding.ids for encoding in source.encoder.encode_batch(given_texts, add_special_tokens=False)
        ]
        found = round_trip(given_texts, decoder_of(source, vocabulary)(ids))
        assert (found.exact, found.nearly) == (exact, nearly), name


#: Bytes per token of BERT base uncased on the first 250 lines of FLORES+ dev, two decimals: TokEval
#: (cimeister/tokenizer-analysis-suite, benchmarks/open_source/REPORT.md, version 1.0.0).
TOKEVAL_BERT = {
    "arb_Arab": 2.23,
    "zho_Hans": 3.01,
    "deu_Latn": 3.02,
    "eng_Latn": 4.78,
    "fra_Latn": 3.35,
    "hin_Deva": 4.40,
    "ind_Latn": 2.82,
    "jpn_Jpan": 3.10,
    "kor_Hang": 1.82,
    "por_Latn": 3.07,
    "rus_Cyrl": 2.21,
    "spa_Latn": 3.22,
    "tur_Latn": 2.60,
}


def test_published_bytes_per_token_of_bert():
    # all-MiniLM-L6-v2 has BERT base uncased's tokenizer. FLORES+ is a revision of FLORES-200, so the
    # last printed digit may move.
    text = read_parallel_text(languages=sorted(TOKEVAL_BERT))
    found = audit_languages(*at_hand("bert"), text.lines)
    measured = {one.language: one.bytes_per_token for one in found.languages}
    assert measured == pytest.approx(TOKEVAL_BERT, abs=0.0145)
