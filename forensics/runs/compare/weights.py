"""Two checkpoints by their weights: the independence tests, and signals beside them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forensics.comparison.independence import (
    columns_test,
    combine_layers,
    not_testable,
    units_robust_test,
    units_test,
)
from forensics.comparison.signals import identical_rows, norm_cosine
from forensics.comparison.vocabularies import VocabularyDifference
from forensics.progress import Progress
from forensics.schema.compare import IndependenceTest, Pairing, Signals
from forensics.sources.checkpoints.hidden_units import HiddenUnits, open_hidden_units
from forensics.sources.interface import Checkpoint

__all__ = ["MOST_UNITS", "compare_weights"]

Int64Array = npt.NDArray[np.int64]

#: Hidden units of a layer that are paired: the time grows with the cube of their number. Under
#: independence the first so many of both are as good as any, so the p-value stays what it is.
MOST_UNITS = 2048


def compare_weights(
    a: Checkpoint, b: Checkpoint, pieces: VocabularyDifference, layers: int, progress: Progress
) -> tuple[tuple[IndependenceTest, ...], Signals]:
    """Return the tests on two checkpoints, and the signals beside them.

    :param a: One checkpoint.
    :param b: The other.
    :param pieces: The ordinary pieces of both.
    :param layers: Of how many layers hidden units are paired.
    :param progress: Where to report to.
    """
    pairs = np.array(list(pieces.shared.values()), dtype=np.int64).reshape(-1, 2)
    inside = (pairs[:, 0] < a.embedding.shape[0]) & (pairs[:, 1] < b.embedding.shape[0])
    ids_a, ids_b = pairs[inside, 0], pairs[inside, 1]
    with progress.stage("columns"):
        tests = [columns_test(a.embedding, b.embedding, ids_a, ids_b)]
        same = identical_rows(a.embedding, b.embedding, ids_a, ids_b)
    one, other = open_hidden_units(a.path), open_hidden_units(b.path)
    if layers:
        tests += _hidden_units(one, other, layers, progress)
    signals = Signals(len(ids_a), same, norm_cosine(one.norms(), other.norms()))
    return tuple(tests), signals


def _hidden_units(a: HiddenUnits, b: HiddenUnits, layers: int, progress: Progress) -> list[IndependenceTest]:
    common = sorted(a.up.keys() & b.up.keys())
    if not common:
        missing = "A" if not a.up else "the other" if not b.up else "both: no layer of one number"
        why = f"no matrix of hidden units found in {missing}"
        return [not_testable(Pairing.UNITS, why), not_testable(Pairing.UNITS_ROBUST, why)]
    # Evenly over the depth, each layer once: Fisher's method takes one test per layer.
    places = np.unique(np.linspace(0, len(common) - 1, min(layers, len(common))).round().astype(int))
    units, robust = [], []
    with progress.stage("hidden units", len(places), "layers") as stage:
        for layer in (common[place] for place in places.tolist()):
            up = a.read(a.up[layer], MOST_UNITS), b.read(b.up[layer], MOST_UNITS)
            units.append(units_test(*up, layer))
            if layer in a.gate and layer in b.gate:
                gate = a.read(a.gate[layer], MOST_UNITS), b.read(b.gate[layer], MOST_UNITS)
                robust.append(units_robust_test(gate, up, layer))
            stage.advance()
    robust = robust or [not_testable(Pairing.UNITS_ROBUST, "the layers have no gate")]
    return [combine_layers(units), combine_layers(robust)]
