"""How well each indicator ranks tokens whose training frequency is known.

    python -m benchmarks.planted_truth [--seeds 2] [--steps 600]

Small models are trained on real text in which planted tokens occur 0, 1, 3, 10 or 30 times (see
`tests/planted_model.py`), tied and untied, with weight decay 0, 0.1 and 1. Printed per indicator: the average
precision for the tokens that never occurred, and the share of vocabulary that ranks below the median
token of each frequency (0 % = first of all).
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from forensics.runs.scan.run import scan
from tests.planted_model import LEVELS, train_planted_model
from tests.undertrained.test_planted_truth import average_precision


def main() -> None:
    """Train, scan and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    precision: dict[str, list[float]] = defaultdict(list)
    print(f"{'model':24s}{'indicator':24s}{'AP(0)':>7s}" + "".join(f"{f'seen {n}':>9s}" for n in LEVELS))
    for tied, decay, seed in itertools.product((True, False), (0.0, 0.1, 1.0), range(options.seeds)):
        model = train_planted_model(tied=tied, weight_decay=decay, seed=seed, steps=options.steps)
        with tempfile.TemporaryDirectory() as folder:
            result = scan(model.save(Path(folder)), verify=False, seed=seed)
        table = result.tokens[(result.tokens.category == "ok") & ~result.tokens.is_byte]
        never = model.counts[table.token_id.to_numpy()] == 0
        label = f"{'tied' if tied else 'untied'} decay {decay:g} seed {seed}"
        for name in result.summary["indicator"]["names"]:
            values = table.set_index("token_id")[name]
            ap = average_precision(values.to_numpy(), never)
            precision[name].append(ap)
            below = [
                np.median([(values < values[t]).mean() for t, n in model.planted.items() if n == level])
                for level in LEVELS
            ]
            chosen = " *" if name == result.summary["indicator"]["name"] else ""
            print(f"{label:24s}{name + chosen:24s}{ap:7.3f}" + "".join(f"{100 * b:8.1f}%" for b in below))
    print("\nmean average precision for never-seen tokens (* above: chosen automatically)")
    for name, values in sorted(precision.items(), key=lambda item: -np.mean(item[1])):
        print(f"{name:24s}{np.mean(values):7.3f}  over {len(values)} models")


if __name__ == "__main__":
    main()
