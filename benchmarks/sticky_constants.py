"""Sticky tokens: the measurements behind the constants of `--method contraction`.

    python -m benchmarks.sticky_constants       # all-MiniLM-L6-v2, about ten minutes on one core
    python -m benchmarks.sticky_constants --model path/to/all-mpnet-base-v2 --ordinary 64
    python -m benchmarks.sticky_constants --model path/to/paraphrase-MiniLM-L3-v2 --pooling mean --run RUN

1. How far another random sample of ordinary tokens would move the ordinary slope and its spread, by the size
   of the sample (bootstrap over 256 tokens).
2. What a token costs a search, against its effect, over tokens spread evenly over the range of effects that
   all-MiniLM-L6-v2 shows. Another model is given the same pieces, or those of its own run: their effects in
   it are measured anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from forensics.runs.sticky.contraction import probe_sets
from forensics.runs.sticky.inputs import read_texts
from forensics.schema.sticky import StickyOptions
from forensics.sources.runtimes.text_encoder import open_text_encoder
from forensics.sources.texts.sentences import retrieval_set
from forensics.sticky.available import reachable_tokens
from forensics.sticky.contraction import Baseline, measure_token
from forensics.sticky.ordinary import by_probe, robust_spread
from forensics.sticky.retrieval import RetrievalTrial
from forensics.vocabulary.build import build_vocabulary

#: Any value; it divides pairs into those below and above and moves no slope.
U = 0.2
SIZES = (16, 32, 64, 128, 256)
#: Effects of all-MiniLM-L6-v2 between which tokens are chosen.
SPREAD = (-0.2, 0.56)
COPIES = 8


def sample_size(slopes: np.ndarray, draws: int = 1000) -> None:
    """Print standard errors of the ordinary slope and of the spread by sample size.

    :param slopes: `(sets, tokens, probes)`.
    """
    rng = np.random.default_rng(0)
    tokens = slopes.shape[1]
    effects = np.mean([1 - s.mean(axis=1) / np.median(s, axis=0).mean() for s in slopes], axis=0)
    print(f"{'sample':>8}{'slope':>10}{'spread':>10}")
    for size in (size for size in SIZES if size <= tokens):
        rows = rng.integers(0, tokens, size=(draws, size))
        means = np.array([np.median(slopes[0][row], axis=0).mean() for row in rows])
        spreads = np.array([robust_spread(effects[row]) for row in rows])
        print(f"{size:8}{means.std() / means.mean():10.2%}{spreads.std() / spreads.mean():10.1%}")
    print(f"spread of ordinary effects: {robust_spread(effects):.3f}\n")


def spread_pieces(run: Path, count: int) -> list[str]:
    """Return the pieces of tokens whose effects in a finished run are spread evenly."""
    known = pd.read_parquet(run / "tokens.parquet").dropna(subset=["effect"])
    known = known.sample(frac=1, random_state=0).sort_values("effect", kind="stable")
    places = np.searchsorted(known["effect"].to_numpy(), np.linspace(*SPREAD, count))
    pieces: list[str] = known["piece"].iloc[np.unique(places.clip(0, len(known) - 1))].tolist()
    return pieces


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--pooling", help="where the model's folder does not say")
    parser.add_argument("--ordinary", type=int, default=256)
    parser.add_argument(
        "--run", default="results/all-MiniLM-L6-v2", help="a finished run to choose pieces by"
    )
    parser.add_argument("--spread", type=int, default=66, help="tokens spread over the effects of that run")
    arguments = parser.parse_args()
    encoder = open_text_encoder(arguments.model, pooling=arguments.pooling, device="cpu", threads=1)
    sets = probe_sets(encoder, read_texts(StickyOptions()).sets, StickyOptions(), 0)
    lines = [Baseline.of(one, one.cells) for one in sets]
    available = reachable_tokens(build_vocabulary(encoder.source, encoder.rows))
    rng = np.random.default_rng(0)

    def slopes_on(which: int, ids: Sequence[int]) -> np.ndarray:
        """Return slopes on one of the two sets, `(tokens, probes)`."""
        return np.array([by_probe(measure_token(encoder, sets[which], lines[which], int(i), U)) for i in ids])

    drawn = rng.choice(np.array(available), arguments.ordinary, replace=False)
    ordinary = np.array([slopes_on(which, drawn) for which in (0, 1)])
    sample_size(ordinary)

    reachable = {encoder.source.pieces[i]: i for i in available}
    chosen = [reachable[piece] for piece in spread_pieces(Path(arguments.run), arguments.spread)
              if piece in reachable]  # fmt: skip
    effect = 1 - slopes_on(0, chosen).mean(axis=1) / np.median(ordinary[0], axis=0).mean()
    data = retrieval_set()
    bench = RetrievalTrial(encoder, data.queries, data.documents, data.relevant)
    damage = np.array([[d.in_queries, d.in_documents]
                       for d in (bench.damage(int(i), COPIES) for i in chosen)])  # fmt: skip
    print(f"nDCG@10 untouched {bench.untouched():.3f}, {len(chosen)} tokens, {COPIES} copies")
    for column, where in enumerate(("in the queries", "in the document sought")):
        print(f"Spearman of effect and nDCG@10 {where}: {stats.spearmanr(effect, damage[:, column])[0]:.2f}")
    print(f"{'effect':>16}{'tokens':>8}{'queries':>9}{'document':>10}")
    edges = np.arange(np.floor(10 * effect.min() - 0.5) / 10 + 0.05, effect.max() + 0.1, 0.1)
    for low, high in pairwise(edges):
        inside = (effect >= low) & (effect < high)
        if inside.any():
            queries, documents = damage[inside].mean(axis=0)
            print(f"{low:8.2f} to {high:.2f}{inside.sum():8}{queries:9.3f}{documents:10.3f}")


if __name__ == "__main__":
    main()
