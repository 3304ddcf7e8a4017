"""Merges recovered where a format stores only scores or ranks.

SentencePiece and tiktoken keep no merge list: any two neighbours whose concatenation is in the
vocabulary may merge, the best-scored (lowest-ranked) concatenation first. The list is a function of
the vocabulary, and is written out here because merges are what the analyses and the `tokenizers`
library speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["last_merge", "merges_by_id", "merges_from_ranks", "merges_from_scores"]


def merges_from_scores(
    pieces: Sequence[str | None], scores: npt.NDArray[np.floating], mergeable: Iterable[int]
) -> list[tuple[str, str]]:
    """Return every way of making a piece from two others, best score first.

    Where one piece can be made in several ways they follow each other, shortest left part first:
    the order in which the `tokenizers` library's own SentencePiece conversion lists them.

    :param pieces: Piece by id.
    :param scores: SentencePiece score by id; the highest is merged first.
    :param mergeable: Ids that take part in merges (not control, unknown or byte pieces).
    :return: Pairs of pieces.
    """
    scored = {piece: float(scores[token_id]) for token_id in mergeable if (piece := pieces[token_id])}
    ways = []
    for piece, score in scored.items():
        for cut in range(1, len(piece)):
            left = piece[:cut]
            if left in scored and piece[cut:] in scored:
                ways.append((score, left, piece[cut:]))
    # The sort is stable: the ways of one piece stay together, equal scores keep the order of ids.
    ways.sort(key=lambda way: -way[0])
    return [(left, right) for _, left, right in ways]


def merges_by_id(vocab: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return every way of making a piece from two others, lowest id first, as transformers 5 lists them.

    :param vocab: Piece -> id; all of it takes part, byte and control pieces too.
    """
    ways = []
    for piece, token_id in vocab.items():
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in vocab and right in vocab:
                ways.append((token_id, cut, left, right))
    ways.sort()
    return [(left, right) for _, _, left, right in ways]


def last_merge(token: bytes, ranks: Mapping[bytes, int], below: int) -> list[bytes]:
    """Return what `token` looks like once all merges of a rank below `below` are done.

    For a token learnt by BPE these are the two parts of its last merge.

    :param token: The token's bytes.
    :param ranks: Token -> rank.
    :param below: Merges of this rank and above are not applied.
    """
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        best, best_rank = -1, below
        for i in range(len(parts) - 1):
            rank = ranks.get(parts[i] + parts[i + 1], below)
            if rank < best_rank:
                best, best_rank = i, rank
        if best < 0:
            break
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts


def merges_from_ranks(ranks: Mapping[bytes, int]) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Return the merge list behind a tiktoken rank file, and the tokens that no merge makes.

    :param ranks: Token -> rank, the order in which BPE learnt them.
    :return: Merges in order, as pairs of byte strings; and tokens of two or more bytes that the merges
        before them leave in more than two parts (put in by hand).
    """
    merges: list[tuple[bytes, bytes]] = []
    by_hand: list[bytes] = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        parts = last_merge(token, ranks, rank)
        if len(parts) == 2 and parts[0] in ranks and parts[1] in ranks:
            merges.append((parts[0], parts[1]))
        else:
            by_hand.append(token)
    return merges, by_hand
