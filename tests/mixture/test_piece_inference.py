"""Known mixtures behind Unigram and WordPiece tokenizers, and which kind of vocabulary is which."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from forensics.errors import BadInputError
from forensics.mixture.infer import InferencePlan, infer_proportions
from forensics.mixture.piece_inference import PieceList, infer_from_pieces
from forensics.mixture.piece_lists import (
    check_order,
    merges_of_wordpiece,
    pieces_of_source,
    respelt_words,
    wordpiece_pair,
)
from forensics.mixture.pretokens import PretokenCounts, count_pretokens
from forensics.mixture.result import Mixture, Reading
from forensics.sources import open_tokenizer
from forensics.vocabulary.splitting import splitter_of_pieces
from tests.extras import need
from tests.mixture.test_infer import NAMES, sides, training_text

need("highspy")
need("numba")

WORDS = pre_tokenizers.BertPreTokenizer()


def counted(folder: Path) -> list[PretokenCounts]:
    splitter = splitter_of_pieces(open_tokenizer(folder))
    return [count_pretokens(name, [sides(name)[1]], splitter) for name in NAMES]


def saved(tokenizer: Tokenizer, folder: Path) -> Path:
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def wordpiece(folder: Path, vocabulary: list[str] | None = None) -> Path:
    """Save a WordPiece tokenizer: trained by merging, or with a given vocabulary."""
    if vocabulary is None:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = WORDS
        trainer = trainers.WordPieceTrainer(vocab_size=1500, special_tokens=["[UNK]"], show_progress=False)
        tokenizer.train_from_iterator(training_text()[0], trainer)
    else:
        ids = {piece: at for at, piece in enumerate(["[UNK]", *vocabulary])}
        tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = WORDS
        tokenizer.add_special_tokens(["[UNK]"])
    return saved(tokenizer, folder)


def by_frequency(pieces: list[str]) -> list[str]:
    """Return pieces in the order of their frequency under longest matches, as BERT's vocabulary has them."""
    from forensics.mixture.piece_counts import LongestMatchCounter

    words: Counter[str] = Counter()
    for line in training_text()[0]:
        words.update(word for word, _ in WORDS.pre_tokenize_str(line))
    counts = LongestMatchCounter(pieces).count(words).pieces
    return [pieces[at] for at in np.argsort(-counts, kind="stable")]


def error(found: Mixture) -> float:
    return float(np.log10(np.mean((np.array(list(found.proportions.values())) - training_text()[1]) ** 2)))


def test_the_mixture_behind_a_sentencepiece_unigram_is_found(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line.rstrip("\n") for line in training_text()[0] if line.strip()]),
        model_writer=model, vocab_size=1500, model_type="unigram", byte_fallback=True,
        user_defined_symbols=["<mask>"], num_threads=1, minloglevel=2,
    )  # fmt: skip
    (tmp_path / "tokenizer.model").write_bytes(model.getvalue())
    source = open_tokenizer(tmp_path / "tokenizer.model")
    pieces = pieces_of_source(source)
    assert not {"<mask>", "<unk>", "<0x41>"} & set(pieces.pieces)
    explained = {piece for piece, aside in zip(pieces.pieces, pieces.aside, strict=True) if not aside}
    assert min(map(len, explained)) == 4
    splitter = splitter_of_pieces(source)
    texts = [count_pretokens(name, [sides(name)[1]], splitter) for name in NAMES]
    found = infer_from_pieces(texts, pieces, baselines=True)
    assert found.method is Reading.SCORES
    assert error(found) < -3
    assert not found.doubts
    uniform = np.log10(np.mean((0.25 - training_text()[1]) ** 2))
    assert error(found) < uniform - 1


def test_the_mixture_behind_a_unigram_of_another_trainer_is_found(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=1500, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(training_text()[0], trainer)
    found = infer_from_pieces(counted(saved(tokenizer, tmp_path)), pieces_of_source(open_tokenizer(tmp_path)))
    assert error(found) < -3


def test_a_wordpiece_trained_by_merging_is_read_as_merges(tmp_path: Path) -> None:
    source = open_tokenizer(wordpiece(tmp_path))
    merges = merges_of_wordpiece(source)
    assert merges is not None
    assert len(merges) > 1000
    assert wordpiece_pair(merges.pair(0))[1].startswith("##")
    texts = [respelt_words(each) for each in counted(tmp_path)]
    found = infer_proportions(texts, merges, InferencePlan(explain=0))
    assert error(found) < -3


def test_a_wordpiece_in_order_of_frequency_is_read_by_rank(tmp_path: Path) -> None:
    (tmp_path / "merged").mkdir()
    (tmp_path / "sorted").mkdir()
    merged = open_tokenizer(wordpiece(tmp_path / "merged"))
    pieces = by_frequency([piece for piece in merged.pieces if piece and piece != "[UNK]"])
    source = open_tokenizer(wordpiece(tmp_path / "sorted", pieces))
    assert merges_of_wordpiece(source) is None
    found = infer_from_pieces(counted(tmp_path / "sorted"), pieces_of_source(source))
    assert found.method is Reading.RANKS
    assert error(found) < -2.5
    check_order(source, found)


def test_a_wordpiece_in_no_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "merged").mkdir()
    (tmp_path / "mixed").mkdir()
    pieces = [p for p in open_tokenizer(wordpiece(tmp_path / "merged")).pieces if p and p != "[UNK]"]
    Random(0).shuffle(pieces)
    source = open_tokenizer(wordpiece(tmp_path / "mixed", pieces))
    assert merges_of_wordpiece(source) is None
    found = infer_from_pieces(counted(tmp_path / "mixed"), pieces_of_source(source))
    with pytest.raises(BadInputError, match="in no order that tells of its training"):
        check_order(source, found)


def test_a_missing_category_shows_in_the_pieces() -> None:
    # Each category has words of its own; the third is not given.
    pieces = tuple(f"\u2581{letter}{number}" for letter in "abc" for number in range(40))
    truth = np.array([0.5, 0.3, 0.2])
    count = np.concatenate([share / np.arange(3, 43) for share in truth])
    order = np.argsort(-count)
    scores = np.log(count[order] / count.sum())
    made = PieceList(
        Reading.SCORES, tuple(pieces[at] for at in order), scores, np.zeros(len(pieces), dtype=np.bool_)
    )
    words = [
        {f"\u2581{letter}{number}": round(1e6 / (number + 3)) for number in range(40)} for letter in "abc"
    ]
    texts = [PretokenCounts(name, each, 10**7) for name, each in zip("abc", words, strict=True)]
    whole = infer_from_pieces(texts, made)
    assert list(whole.proportions.values()) == pytest.approx(truth.tolist(), abs=1e-3)
    found = infer_from_pieces(texts[:2], made, len(pieces))
    assert list(found.proportions.values()) == pytest.approx([0.625, 0.375], abs=1e-3)
    assert found.missing_merges == 40
    assert {pieces_at[1] for pieces_at in (made.pieces[step] for step in found.missing_steps)} == {"c"}
