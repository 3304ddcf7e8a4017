"""A model whose weights have been looked at: what the verification and the summary read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import Checkpoint, TokenizerSource, Tying
from forensics.undertrained.weights import Matrices, WeightFindings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["Examined", "is_tied", "matrices_of"]


@dataclass(frozen=True, eq=False)
class Examined:
    """The sources of a scan and what its weights tell."""

    checkpoint: Checkpoint
    source: TokenizerSource
    vocabulary: Vocabulary
    #: Tokens that may be candidates, shape (V,).
    eligible: npt.NDArray[np.bool_]
    findings: WeightFindings

    def ranking(self) -> npt.NDArray[np.int64]:
        """Return the eligible tokens that speak for themselves, most suspicious first."""
        ids = np.flatnonzero(self.eligible & self.findings.is_representative)
        return ids[np.argsort(self.findings.ranks[ids], kind="stable")]


def is_tied(checkpoint: Checkpoint) -> bool:
    """Tell whether one matrix serves as embedding and unembedding, stored twice or not."""
    return checkpoint.tying in (Tying.TIED, Tying.TIED_STORED_TWICE, Tying.NEARLY_TIED)


def matrices_of(checkpoint: Checkpoint) -> Matrices:
    """Return the matrices of a checkpoint as the analysis takes them."""
    E_in = checkpoint.embedding
    E_out = None if checkpoint.tying is Tying.NO_HEAD else checkpoint.unembedding
    return Matrices(E_in, E_in if is_tied(checkpoint) else E_out, checkpoint.head_bias)
