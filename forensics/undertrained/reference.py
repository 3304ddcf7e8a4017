"""Choose the reference tokens: rows that no training text can have touched.

Land and Bartolo 2024 (arXiv 2405.05417, section 3.2) take them from a hand-written list per model.
Here they come from evidence that every checkpoint carries (see `KINDS`). No kind is believed by
itself: a "reserved" token may have been put to use in fine-tuning, a special token is usually trained.
Rows that training never told apart point the same way once the mean row is subtracted, so the largest
direction on which the kinds agree is taken, and evidence that points elsewhere is dropped and listed.

Where the evidence does not agree, or there is none, the tightest neighbourhood among rows at the
fringe of the matrix stands in (`neighbourhood.densest_neighbourhood`), and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix
from forensics.undertrained.directions import directions, mean_cosine
from forensics.undertrained.neighbourhood import densest_neighbourhood
from forensics.undertrained.rows import RowStatistics

__all__ = ["KINDS", "EvidenceKind", "Reference", "find_reference", "given_reference"]

#: The kinds of evidence, the most trustworthy first, with what the report says of each.
KINDS: dict[str, str] = {
    "unused_row": "rows past the tokenizer's vocabulary",
    "never_valid_byte": "bytes that cannot occur in UTF-8 (C0, C1, F5-FF)",
    "reserved": "entries that the files declare reserved or unused",
    "identical_rows": "rows equal bit for bit to another token's row",
    "unreachable": "entries that no text encodes to",
    "special": "declared special tokens",
}

#: Rows of one kind that vote; more are sampled down. 256 keeps the vote a small matrix product.
_VOTERS = 256
#: Rows that show how alike rows are anyway, and the largest share of them that may lie along the common
#: direction: where more do, it is the direction of the whole matrix and sets nothing apart. A share and
#: not a quantile of pairs, because the under-trained themselves may be a tenth of a vocabulary.
_BACKGROUND, _BACKGROUND_SHARE = 2048, 0.25
#: Cosines to the common direction that count as agreeing, tried from the strictest. Never-updated rows
#: of large models agree to 0.95 and better (SmolLM2-135M 0.999, Gemma 3 270M 0.987), trained reserved
#: rows stay below 0.7; in briefly trained models the initial noise is still there and agreement is lower.
_LIMITS = (0.9, 0.8, 0.65, 0.5)
#: Kinds that no training text can have touched. Where there are such rows, a direction must carry half
#: of one of these kinds, so that a few look-alike control tokens cannot win by being closer together.
_TRUSTED = ("unused_row", "never_valid_byte", "identical_rows")
#: Kinds whose rows, where they are zero, are references by that alone.
_DECLARED = ("unused_row", "never_valid_byte", "reserved")
#: Fewest rows that make a reference.
_LEAST_ROWS = 3


@dataclass(frozen=True)
class EvidenceKind:
    """What one kind of evidence contributed."""

    #: A key of `KINDS`.
    kind: str
    #: Rows of this kind with a usable direction.
    count: int
    #: Rows of this kind that are among the reference tokens.
    kept: int
    #: Mean cosine of this kind's rows (centred) to the reference direction, or None without rows.
    agreement: float | None


@dataclass(frozen=True)
class Reference:
    """The reference tokens and why they were chosen."""

    #: Token ids, ascending.
    ids: tuple[int, ...]
    #: Sentences for the report.
    how: tuple[str, ...]
    #: Mean cosine between two reference rows after centring, or None for fewer than two.
    agreement: float | None
    #: What each kind of evidence contributed; empty when given by the user.
    kinds: tuple[EvidenceKind, ...] = ()
    #: Rows with evidence that were left out because they point elsewhere.
    dropped: tuple[int, ...] = ()
    #: Whether the ids rest on evidence or the user's word, not on the fallback.
    has_evidence: bool = True


def given_reference(ids: Sequence[int], matrix: RowMatrix, statistics: RowStatistics) -> Reference:
    """Return the reference tokens that the user named.

    :param ids: Token ids within the matrix.
    :param matrix: `E_out` (or `E_in` where there is no head), shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    """
    chosen = np.unique(np.asarray(ids, dtype=np.int64))
    agreement = mean_cosine(directions(matrix, statistics, chosen[statistics.usable[chosen]]))
    how = (f"{len(chosen)} reference tokens were given by the user.", _agreement_sentence(agreement))
    return Reference(ids=tuple(map(int, chosen)), how=how, agreement=agreement)


def find_reference(
    matrix: RowMatrix,
    statistics: RowStatistics,
    evidence: Mapping[str, Sequence[int]],
    rng: np.random.Generator,
) -> Reference:
    """Return the reference tokens on which the evidence agrees, or those of the fallback.

    :param matrix: `E_out` (or `E_in` where there is no head), shape `(V, d)`.
    :param statistics: Its `RowStatistics`.
    :param evidence: Kind (a key of `KINDS`) -> token ids.
    :param rng: The run's generator; draws voters and the background sample.
    :raises KeyError: If `evidence` names an unknown kind.
    """
    usable = {
        kind: ids[statistics.usable[ids]]
        for kind, ids in ((kind, np.unique(np.asarray(evidence[kind], dtype=np.int64))) for kind in evidence)
        if KINDS[kind]
    }
    pooled = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *usable.values()]))
    if (never_moved := _never_moved(statistics, evidence)) is not None:
        return never_moved
    background = _background_directions(matrix, statistics, rng)  # (b, d)
    voters = {
        kind: np.sort(rng.choice(ids, size=_VOTERS, replace=False)) if len(ids) > _VOTERS else ids
        for kind, ids in usable.items()
    }
    units = directions(matrix, statistics, pooled)  # (p, d)
    for limit in _LIMITS:
        direction = _common_direction(matrix, statistics, voters, limit)
        if direction is None or (background @ direction >= limit).mean() > _BACKGROUND_SHARE:
            continue
        cosines = units @ direction
        if _is_supported(pooled[cosines >= limit], usable):
            return _from_evidence(usable, pooled, units, cosines, limit)
    return _from_fallback(matrix, statistics, usable, pooled, rng)


def _never_moved(statistics: RowStatistics, evidence: Mapping[str, Sequence[int]]) -> Reference | None:
    """Return the declared unused tokens whose rows are still zero, if most of those declared are.

    No agreement needs to be shown: they are one point, at which no trained row stands.
    """
    declared = {kind: np.unique(np.asarray(evidence.get(kind, ()), dtype=np.int64)) for kind in _DECLARED}
    zero = {kind: ids[statistics.never_moved[ids]] for kind, ids in declared.items()}
    kept = np.unique(np.concatenate(list(zero.values())))
    pooled = np.unique(np.concatenate(list(declared.values())))
    if len(kept) < _LEAST_ROWS or len(kept) < 0.5 * len(pooled):
        return None
    kinds = tuple(
        EvidenceKind(kind, len(ids), len(zero[kind]), None) for kind, ids in declared.items() if len(ids)
    )
    named = ", ".join(f"{k.kept} of {k.count} {KINDS[k.kind]}" for k in kinds)
    how = (
        f"{len(kept)} reference tokens were found: {named}.",
        "Training never moved their rows from zero, which no trained row is near.",
    )
    dropped = np.setdiff1d(pooled, kept)
    return Reference(tuple(map(int, kept)), how, None, kinds, tuple(map(int, dropped)))


def _is_supported(kept: npt.NDArray[np.int64], usable: Mapping[str, npt.NDArray[np.int64]]) -> bool:
    """Tell whether enough rows of enough trust agree."""
    trusted = [usable[kind] for kind in _TRUSTED if kind in usable and len(usable[kind]) >= 2]
    if len(kept) < _LEAST_ROWS:
        return False
    if trusted:
        return any(np.isin(ids, kept).mean() >= 0.5 for ids in trusted)
    return len(kept) >= 0.25 * sum(len(ids) for ids in usable.values())


def _from_evidence(
    usable: Mapping[str, npt.NDArray[np.int64]],
    pooled: npt.NDArray[np.int64],
    units: npt.NDArray[np.float32],
    cosines: npt.NDArray[np.float32],
    limit: float,
) -> Reference:
    kept = pooled[cosines >= limit]
    by_row = dict(zip(pooled.tolist(), cosines.tolist(), strict=True))
    kept_set = set(kept.tolist())
    kinds = tuple(
        EvidenceKind(
            kind=kind,
            count=len(ids),
            kept=sum(row in kept_set for row in ids.tolist()),
            agreement=float(np.mean([by_row[row] for row in ids.tolist()])),
        )
        for kind, ids in ((kind, usable[kind]) for kind in KINDS if len(usable.get(kind, ())))
    )
    agreement = mean_cosine(units[cosines >= limit])
    dropped = pooled[cosines < limit]
    named = ", ".join(f"{k.kept} of {k.count} {KINDS[k.kind]}" for k in kinds if k.count)
    how = (
        f"{len(kept)} reference tokens were found: {named}.",
        _agreement_sentence(agreement),
        f"{len(dropped)} rows with such evidence point elsewhere (cosine to the common direction below "
        f"{limit:.2f}) and were left out.",
    )
    return Reference(
        ids=tuple(map(int, kept)),
        how=how,
        agreement=agreement,
        kinds=kinds,
        dropped=tuple(map(int, dropped)),
    )


def _from_fallback(
    matrix: RowMatrix,
    statistics: RowStatistics,
    usable: Mapping[str, npt.NDArray[np.int64]],
    pooled: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Reference:
    ids, tightness = densest_neighbourhood(matrix, statistics, rng)
    reason = (
        f"the {len(pooled)} rows with a-priori evidence do not point one way"
        if len(pooled)
        else "the files name no token that is a priori unused"
    )
    how = (
        f"No reference token rests on evidence: {reason}.",
        f"The {len(ids)} rows of the tightest neighbourhood at the fringe of the matrix stand in (mean "
        f"cosine {tightness:.2f} after centring); a group of trained look-alikes can be as tight, so read "
        "the ranking as a suggestion and the verification as the finding.",
    )
    kinds = tuple(EvidenceKind(kind, len(usable[kind]), 0, None) for kind in KINDS if kind in usable)
    return Reference(
        ids=tuple(map(int, ids)),
        how=how,
        agreement=tightness,
        kinds=kinds,
        dropped=tuple(map(int, pooled)),
        has_evidence=False,
    )


def _common_direction(
    matrix: RowMatrix,
    statistics: RowStatistics,
    voters: Mapping[str, npt.NDArray[np.int64]],
    limit: float,
) -> npt.NDArray[np.float32] | None:
    """Return the unit direction with the widest support, every kind having one vote in all."""
    filled = [kind for kind in KINDS if kind in voters and len(voters[kind])]
    if not filled:
        return None
    rows = np.concatenate([voters[kind] for kind in filled])
    units = directions(matrix, statistics, rows)  # (k, d)
    weights = np.concatenate([np.full(len(voters[kind]), 1 / len(voters[kind])) for kind in filled])
    support = (units @ units.T >= limit) @ weights  # (k,)
    direction = units[int(np.argmax(support))]
    for _ in range(5):  # the members' mean settles within two or three rounds
        members = units @ direction >= limit
        if members.sum() < 2:
            return None
        mean = np.average(units[members], axis=0, weights=weights[members]).astype(np.float32)
        direction = mean / np.linalg.norm(mean)
    return np.asarray(direction, dtype=np.float32)


def _background_directions(
    matrix: RowMatrix, statistics: RowStatistics, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return the directions of randomly drawn rows, shape `(b, d)`."""
    usable = np.flatnonzero(statistics.usable)
    sample = np.sort(rng.choice(usable, size=min(_BACKGROUND, len(usable)), replace=False))
    return directions(matrix, statistics, sample)


def _agreement_sentence(agreement: float | None) -> str:
    if agreement is None:
        return "A single reference token cannot be checked against another."
    return f"Their rows agree: the mean cosine between two of them, after centring, is {agreement:.3f}."
