"""Intervals for vocabularies without merges: what is dealt out, simulated, and held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from forensics.mixture.bootstrap import Intervals, bootstrap_intervals, piece_simulator
from forensics.mixture.piece_inference import PieceList, infer_from_pieces
from forensics.mixture.piece_lists import pieces_of_source
from forensics.mixture.piece_simulation import PieceDocuments, count_pieces, simulate_pieces
from forensics.mixture.pretokens import count_pretokens
from forensics.mixture.result import Mixture
from forensics.sources import open_tokenizer
from forensics.vocabulary.splitting import Splitter, splitter_of_pieces
from tests.extras import need
from tests.mixture.test_bootstrap import documents
from tests.mixture.test_infer import NAMES, sides, training_text
from tests.mixture.test_piece_inference import by_frequency, saved, wordpiece

need("highspy")
need("numba")

Read = tuple[PieceList, Splitter]


@pytest.fixture(scope="module", params=["unigram", "ranked wordpiece"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A tokenizer trained on a known mixture, as it is read."""
    folder: Path = tmp_path_factory.mktemp("trained")
    if request.param == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=1500, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
        )
        tokenizer.train_from_iterator(training_text()[0], trainer)
        saved(tokenizer, folder)
    else:
        merged = tmp_path_factory.mktemp("merged")
        pieces = [p for p in open_tokenizer(wordpiece(merged)).pieces if p and p != "[UNK]"]
        wordpiece(folder, by_frequency(pieces))
    source = open_tokenizer(folder)
    return pieces_of_source(source), splitter_of_pieces(source)


def counted(read: Read, texts: dict[str, list[str]] | None = None) -> PieceDocuments:
    return count_pieces(texts or {name: documents(name) for name in NAMES}, read[1], read[0])


def inferred(read: Read) -> Mixture:
    texts = [count_pretokens(name, ["".join(documents(name))], read[1]) for name in NAMES]
    return infer_from_pieces(texts, read[0])


def intervals(read: Read, piles: PieceDocuments, found: Mixture, **options: int) -> Intervals:
    simulator = piece_simulator(piles, read[0], found.merges_used)
    return bootstrap_intervals(piles, found.proportions, found.misfit, simulator, **options)


def test_the_counts_of_the_piles_add_up_to_those_of_the_text(read: Read) -> None:
    piles, whole = counted(read), count_pretokens(NAMES[0], ["".join(documents(NAMES[0]))], read[1])
    expected = read[0].counter.count(whole.words)
    own = piles.category == 0
    np.testing.assert_allclose(piles.pieces[:, np.flatnonzero(own)].sum(axis=1), expected.pieces, rtol=1e-9)
    assert piles.tokens[own].sum() == pytest.approx(expected.tokens)
    assert piles.nbytes[own].sum() == len("".join(documents(NAMES[0])).encode())


def test_what_was_mixed_in_is_found_again(read: Read) -> None:
    share = np.array([0.4, 0.1, 0.2, 0.3])
    made = simulate_pieces(counted(read), read[0], 400, share, np.random.SeedSequence(3))
    np.testing.assert_array_equal(made.made_with, share)
    assert np.abs(made.found - share).max() < 0.05
    assert made.found.sum() == pytest.approx(1)


def test_the_intervals_hold_the_truth_and_repeat_with_the_seed(read: Read) -> None:
    piles, found = counted(read), inferred(read)
    first = intervals(read, piles, found, repeats=6, seed=1)
    held = [
        first.ends[name].low <= true <= first.ends[name].high
        for name, true in zip(NAMES, training_text()[1].tolist(), strict=True)
    ]
    assert sum(held) >= 3  # nominal 95 % of four
    for name, share in found.proportions.items():
        assert first.ends[name].low <= share <= first.ends[name].high
        assert first.ends[name].high - first.ends[name].low < 0.5
    assert first == intervals(read, piles, found, repeats=6, seed=1, jobs=2)
    assert first != intervals(read, piles, found, repeats=6, seed=2)


def test_unlike_documents_make_wide_intervals(read: Read) -> None:
    found, unlike = inferred(read), {name: documents(name) for name in NAMES}
    half = len(unlike[NAMES[3]]) // 2
    other = sides(NAMES[0])[0]
    unlike[NAMES[3]] = [*unlike[NAMES[3]][:half], *("".join(other[at::half]) for at in range(half))]
    wide, narrow = (
        intervals(read, piles, found, repeats=8, seed=3) for piles in (counted(read, unlike), counted(read))
    )
    assert wide.ends[NAMES[3]].sd > 2 * narrow.ends[NAMES[3]].sd


def test_a_category_of_two_documents_is_not_judged(read: Read) -> None:
    texts = {name: documents(name) for name in NAMES}
    texts[NAMES[0]] = ["".join(texts[NAMES[0]][::2]), "".join(texts[NAMES[0]][1::2])]
    found = intervals(read, counted(read, texts), inferred(read), repeats=3)
    assert found.refused == (NAMES[0],)
