"""Whether embedding and unembedding are one matrix, established from the stored numbers.

A configuration's `tie_word_embeddings` is a claim: converters store the same matrix twice, fine-tuning
tools drift two copies apart, and some files contradict their configuration. So the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.matrices import RowMatrix, block_rows
from forensics.sources.checkpoints.config import ModelConfig
from forensics.sources.interface import Tying

__all__ = ["TyingVerdict", "compare_matrices", "contradiction", "without_unembedding"]

#: Rows looked at before deciding whether the whole matrices must be read. Evenly spaced, so the same
#: in every run. Independent matrices agree in none of them.
SAMPLE_ROWS = 512
#: Two rows agree if their distance is below this share of the longer one's norm. Rounding to eight
#: bits by blocks of 32 moves a Gaussian row by about 0.6 %, to four bits by about 10 %; independent
#: rows of equal length are about 140 % apart.
NEAR_DISTANCE = 0.2
#: Share of agreeing rows from which two stored matrices count as one.
NEAR_SHARE = 0.9
#: Memory for one block of each matrix in float32.
COMPARE_BYTES = 16 * 2**20

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TyingVerdict:
    """How two matrices relate, and why."""

    #: The relation.
    tying: Tying
    #: What established it, in one sentence, with numbers.
    evidence: str


@dataclass(frozen=True)
class _Agreement:
    rows: int
    identical: int
    near: int
    distances: Float32Array

    @property
    def near_share(self) -> float:
        return self.near / max(1, self.rows)


def compare_matrices(embedding: RowMatrix, unembedding: RowMatrix) -> TyingVerdict:
    """Compare two stored matrices, a sample of rows first and all of them if that looks tied.

    :param embedding: `E_in`, shape `(V, d)`.
    :param unembedding: `E_out`; may have another number of rows.
    :return: `TIED_STORED_TWICE`, `NEARLY_TIED` or `UNTIED`, with the numbers.
    """
    if embedding.shape[1] != unembedding.shape[1]:
        widths = f"{embedding.shape[1]} and {unembedding.shape[1]} columns"
        return TyingVerdict(Tying.UNTIED, f"both are stored, with {widths}")
    rows = min(embedding.shape[0], unembedding.shape[0])
    sample = np.unique(np.linspace(0, rows - 1, min(rows, SAMPLE_ROWS)).astype(np.int64))
    sampled = _agreement([(embedding.gather(sample), unembedding.gather(sample))])
    if sampled.near_share < NEAR_SHARE / 2:
        median = float(np.median(sampled.distances))
        text = (
            f"both are stored and differ: {sampled.near} of {sampled.rows} sampled rows agree, "
            f"median relative distance {median:.3g}"
        )
        return TyingVerdict(Tying.UNTIED, text)
    return _compare_all(embedding, unembedding, rows)


def _compare_all(embedding: RowMatrix, unembedding: RowMatrix, rows: int) -> TyingVerdict:
    step = block_rows(embedding, COMPARE_BYTES)
    spans = [(start, min(start + step, rows)) for start in range(0, rows, step)]
    agreement = _agreement((embedding.rows(*span), unembedding.rows(*span)) for span in spans)
    same_length = embedding.shape[0] == unembedding.shape[0]
    if agreement.identical == rows and same_length:
        return TyingVerdict(Tying.TIED_STORED_TWICE, f"both are stored and all {rows} rows are identical")
    lengths = "" if same_length else f", of {embedding.shape[0]} and {unembedding.shape[0]} rows"
    text = (
        f"both are stored{lengths}: {agreement.identical} of {rows} rows are identical, {agreement.near} "
        f"within a relative distance of {NEAR_DISTANCE}, largest distance {agreement.distances.max():.3g}"
    )
    return TyingVerdict(Tying.NEARLY_TIED if agreement.near_share >= NEAR_SHARE else Tying.UNTIED, text)


def without_unembedding(config: ModelConfig, *, is_decoder_name: bool) -> TyingVerdict:
    """Decide between tied and headless where no unembedding is stored.

    :param config: Tells whether the architecture has a head.
    :param is_decoder_name: Whether the embedding has the name that language models give it; decides
        where the configuration is silent.
    :return: `TIED` or `NO_HEAD`, and what it rests on.
    """
    has_head, ground = config.has_head, config.head_evidence
    if has_head is None:
        has_head = is_decoder_name
        ground += f", the embedding's name is {'that' if is_decoder_name else 'not that'} of a language model"
    if has_head:
        return TyingVerdict(Tying.TIED, f"no unembedding is stored and the model has a head ({ground})")
    return TyingVerdict(Tying.NO_HEAD, f"no unembedding is stored and the model has no head ({ground})")


def contradiction(verdict: TyingVerdict, claimed: bool | None) -> str | None:
    """Return a remark where the configuration claims otherwise than the stored numbers.

    :param verdict: What the numbers say.
    :param claimed: The configuration's `tie_word_embeddings`, or None if it says nothing.
    """
    if claimed is True and verdict.tying is Tying.UNTIED:
        return (
            "the configuration says tie_word_embeddings=true, the stored matrices differ; a loader that "
            "believes the configuration drops the stored unembedding"
        )
    if claimed is False and verdict.tying is Tying.TIED:
        return (
            "the configuration says tie_word_embeddings=false, no unembedding is stored; "
            "the checkpoint may be incomplete"
        )
    if claimed is False and verdict.tying in (Tying.TIED_STORED_TWICE, Tying.NEARLY_TIED):
        return "the configuration says tie_word_embeddings=false, the stored matrices agree"
    return None


def _agreement(pairs: Iterable[tuple[Float32Array, Float32Array]]) -> _Agreement:
    identical, distances = 0, []
    for left, right in pairs:
        # Bits, not values: a NaN equals itself here.
        same = (left.view(np.uint32) == right.view(np.uint32)).all(axis=1)
        with np.errstate(all="ignore"):
            length = np.sqrt(np.maximum(_square_sums(left), _square_sums(right)))
            distance = np.sqrt(_square_sums(left - right)) / length
        distance[~np.isfinite(distance)] = np.inf  # broken or overflowing rows agree with nothing
        distance[same] = 0
        identical += int(same.sum())
        distances.append(distance)
    joined = np.concatenate(distances).astype(np.float32, copy=False)
    return _Agreement(joined.size, identical, int((joined <= NEAR_DISTANCE).sum()), joined)


def _square_sums(rows: Float32Array) -> Float32Array:
    """Return the squared length of every row, shape `(n,)`."""
    sums: Float32Array = np.einsum("ij,ij->i", rows, rows)
    return sums
