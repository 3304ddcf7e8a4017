"""How often halves of one corpus give a small p: `python -m benchmarks.membership MODEL [--seeds 200]`.

The 250 English lines of FLORES-200 that come with the package are scored once; then they are halved at
random, and each halving goes the way of `forensics membership`. A p below .05 in about 5 of 100 is what an
honest test gives where there is nothing to find; the blind classifier should separate hardly any.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from forensics.exposure.blind import blind_scores
from forensics.exposure.comparison import auroc_interval, permutation_p
from forensics.progress import Progress
from forensics.runs.membership.model import open_model
from forensics.runs.membership.sets import BLIND_LIMIT, embedded_frequencies, score_texts
from forensics.schema.membership import SCORES, MembershipOptions
from forensics.sources.texts.parallel_text import read_parallel_text

#: Below this p is called small; draws for p and for an interval.
SMALL, PERMUTATIONS, BOOTSTRAP = 0.05, 999, 200


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--seeds", type=int, default=200)
    given = parser.parse_args()
    options = MembershipOptions(threads=1)
    asked = open_model(given.model, None, options, None, Progress())
    lines = read_parallel_text(languages=["eng_Latn"]).lines["eng_Latn"]
    begun = time.process_time()
    scores = score_texts(asked, lines, embedded_frequencies(asked), options, Progress(), "lines")
    spent = time.process_time() - begun
    print(f"{len(lines)} lines, {int(scores['tokens'].sum()):,} tokens scored in {spent:.0f} CPU s\n")
    small, separated = dict.fromkeys(SCORES, 0), 0
    for seed in range(given.seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(lines))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        for name in SCORES:
            small[name] += permutation_p(scores[name][one], scores[name][other], rng, PERMUTATIONS) < SMALL
        judged = blind_scores([lines[place] for place in one], [lines[place] for place in other], rng)
        separated += auroc_interval(*judged, rng, BOOTSTRAP)[0] > BLIND_LIMIT
    print("| score | halvings with p < .05 |")
    print("|---|---|")
    for name, count in small.items():
        print(f"| {name} | {count / given.seeds:.3f} |")
    print(f"| blind classifier separates | {separated / given.seeds:.3f} |")


if __name__ == "__main__":
    main()
