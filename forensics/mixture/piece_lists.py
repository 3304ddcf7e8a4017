"""What a vocabulary without stored merges still tells of its training, and which kind it is.

A Unigram vocabulary has a probability for every piece. A WordPiece vocabulary has only its order, and there
are two: BERT's stands in the order of frequency, that of Hugging Face's trainer in the order in which pieces
were merged, as a BPE list does (the trainer is BPE inside). Which one it is shows in the pieces: merged ones
fall into two earlier pieces each. One that is neither is refused after counting (`check_order`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from unicodedata import east_asian_width

import numpy as np

from forensics.errors import BadInputError
from forensics.mixture.piece_inference import PieceList
from forensics.mixture.pretokens import PretokenCounts
from forensics.mixture.result import Mixture, Reading
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import byte_of_fallback_piece
from forensics.vocabulary.merge_list import MergeList, build_merge_list

__all__ = [
    "INSIDE",
    "check_order",
    "merges_of_wordpiece",
    "pieces_of_source",
    "respelt_words",
    "wordpiece_pair",
]

#: What WordPiece writes in front of a piece inside a word.
INSIDE = "##"
#: Share of the pieces that must fall into two earlier ones for a vocabulary to be in the order of merges.
#: Hugging Face's trainer gives 1 (tests); of BERT's vocabulary 0.35 fall so.
LEAST_MERGED = 0.98
#: Rank correlation of place and count below which a vocabulary is not in the order of frequency. BERT's has
#: 0.55 to 0.72 in the demo text, a shuffled one nought.
LEAST_FALLING = 0.3
#: Letters of the shortest Unigram piece that is explained.
LEAST_WIDTH = 4
#: Where the first letters of words are put while they are merged: a private plane, so that the same letter
#: inside a word is another symbol, as it is in WordPiece.
_PRIVATE = 0xF0000
_PRIVATE_SIZE = 0x10000


def declared_ids(source: TokenizerSource) -> set[int]:
    """Return the ids that the files declare to be added, special or reserved."""
    roles = {token_id for given in source.special_roles.values() for token_id in given.values()}
    return {token.token_id for token in source.added_tokens} | roles | set(source.declared_unused)


def pieces_of_source(source: TokenizerSource) -> PieceList:
    """Return the pieces of a Unigram vocabulary by probability, or of a WordPiece vocabulary as they stand.

    Matched and not explained are pieces whose frequency or place training did not choose. In WordPiece these
    are single characters. In Unigram they are pieces with a score of nought, and short ones: what of a text
    falls to them depends on which longer pieces were pruned after the scores were fitted (on the text of its
    own training a vocabulary of 1,500 gives pieces of up to two characters 2 to 4 % more than their scores
    say and those of four and more 14 % less).

    :param source: The tokenizer.
    :raises BadInputError: If a Unigram tokenizer has no scores.
    """
    declared = declared_ids(source)
    known = [
        (token_id, piece)
        for token_id, piece in enumerate(source.pieces)
        if piece and token_id not in declared and byte_of_fallback_piece(piece) is None
    ]
    if source.model is TokenizerModel.WORDPIECE:
        texts = tuple(piece for _, piece in known)
        single = np.array([len(piece.removeprefix(INSIDE)) <= 1 for piece in texts], dtype=np.bool_)
        return PieceList(Reading.RANKS, texts, np.zeros(len(texts)), single)
    if source.scores is None:
        raise BadInputError(source.path, "a Unigram tokenizer without scores", "give its trained file")
    scores = np.array([float(source.scores[token_id]) for token_id, _ in known])
    order = np.argsort(-scores, kind="stable")
    texts, scores = tuple(known[at][1] for at in order), scores[order]
    # A score of 0 is a probability of 1: no frequency, but "always taken".
    aside = (scores >= 0) | np.array([_width(piece) < LEAST_WIDTH for piece in texts], dtype=np.bool_)
    return PieceList(Reading.SCORES, texts, scores, aside)


def _width(piece: str) -> int:
    """Return how many letters a piece has, a space too; one that is a syllable or a word counts two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in piece)


def merges_of_wordpiece(source: TokenizerSource) -> MergeList | None:
    """Return the merges behind a WordPiece vocabulary that stands in their order; None if it does not.

    Symbols are spelt as `respelt_words` spells text.
    """
    declared = declared_ids(source)
    pieces = [
        _respelt_piece(piece)
        for token_id, piece in enumerate(source.pieces)
        if piece and token_id not in declared
    ]
    merges, long = _recovered(pieces), sum(len(piece) > 1 for piece in pieces)
    if not long or len(merges) < LEAST_MERGED * long:
        return None
    return build_merge_list(merges, pieces)


def _recovered(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pair each piece was made of, where what the earlier ones leave of it is two parts."""
    rank: dict[tuple[str, str], int] = {}
    for piece in pieces:
        parts = list(piece)
        while len(parts) > 2:
            pairs = list(pairwise(parts))
            best = min(pairs, key=lambda pair: rank.get(pair, len(rank)))
            if best not in rank:
                break
            parts = _joined(parts, best)
        if len(parts) == 2:
            rank.setdefault((parts[0], parts[1]), len(rank))
    return list(rank)


def _joined(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    at = 0
    while at < len(parts):
        width = 2 if tuple(parts[at : at + 2]) == pair else 1
        joined.append("".join(parts[at : at + width]))
        at += width
    return joined


def respelt_words(counts: PretokenCounts) -> PretokenCounts:
    """Return pre-tokens with their first letters apart from the letters inside, as WordPiece has them."""
    words = {_first(word[0]) + word[1:]: count for word, count in counts.words.items() if word}
    return PretokenCounts(counts.name, words, counts.nbytes, counts.dropped, counts.in_chunks)


def wordpiece_pair(pair: tuple[str, ...]) -> tuple[str, ...]:
    """Return symbols as WordPiece spells them."""
    return tuple(_spelt(symbol) for symbol in pair)


def _first(letter: str) -> str:
    # Beyond the first plane there is no room: such a letter stays unknown at the start of a word.
    return chr(_PRIVATE + ord(letter)) if ord(letter) < _PRIVATE_SIZE else letter


def _respelt_piece(piece: str) -> str:
    return piece.removeprefix(INSIDE) if piece.startswith(INSIDE) else _first(piece[0]) + piece[1:]


def _spelt(symbol: str) -> str:
    number = ord(symbol[0]) - _PRIVATE
    return chr(number) + symbol[1:] if 0 <= number < _PRIVATE_SIZE else INSIDE + symbol


def check_order(source: TokenizerSource, mixture: Mixture) -> None:
    """Refuse a WordPiece vocabulary that stands neither in the order of merges nor of frequency.

    :param source: The tokenizer.
    :param mixture: What was found under the assumption that it stands in the order of frequency.
    :raises BadInputError: If it does not.
    """
    from scipy.stats import spearmanr

    falling = -float(spearmanr(mixture.steps, mixture.counts).statistic)
    if not falling >= LEAST_FALLING:
        raise BadInputError(
            source.path,
            "a WordPiece vocabulary in no order that tells of its training: its pieces do not fall into two "
            f"earlier ones each, and place and count are correlated by {falling:.2f}",
            "no proportions can be inferred from it; see with `forensics tokens` which scripts it is of",
        )
