"""Sticky tokens: what the two methods agree on, how far each agrees with itself, and which foretells damage.

    python -m benchmarks.sticky_agreement       # all-MiniLM-L6-v2, about fifteen minutes on one core

1. Two finished runs over the whole vocabulary: how many tokens each calls sticky, how many both do, and how
   many both would by chance.
2. Random tokens on two disjoint sets of sentences: does the published score, and does the effect, of the
   first set say anything about that of the second?
3. What eight copies of a token, inserted by id, cost a search: tokens that both, only one or neither of the
   methods calls sticky, and the random tokens of 2 against their score and effect.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from forensics.files import read_json
from forensics.runs.sticky.contraction import probe_sets
from forensics.runs.sticky.inputs import read_texts
from forensics.schema.sticky import StickyOptions
from forensics.sources.runtimes.text_encoder import TextEncoder, open_text_encoder
from forensics.sources.texts.sentences import retrieval_set
from forensics.sticky.available import round_trip_tokens
from forensics.sticky.contraction import Baseline, measure_token
from forensics.sticky.ordinary import by_probe
from forensics.sticky.pairs import pairs_of_sentences
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import insertion_slots
from forensics.sticky.retrieval import RetrievalTrial

RUN = Path("results/all-MiniLM-L6-v2")
COPIES = 8
PAIRS = 5


def both_verdicts(contraction: Path, std: Path) -> pd.DataFrame:
    """Return what both methods say of every token, columns ending in the method's name."""
    columns = ["shortlisted", "sticky"]
    first, second = (
        pd.read_parquet(folder / "tokens.parquet").set_index("token_id") for folder in (contraction, std)
    )
    both = first[columns].join(second[columns], lsuffix="_contraction", rsuffix="_std")
    both["judged"] = first["sticky_score"].notna()
    return both


def print_agreement(verdicts: pd.DataFrame) -> None:
    """Print the counts of every pair of lists, and what chance would give."""
    size = len(verdicts)
    print(f"{size:,} tokens that both methods judge")
    print(f"{'contraction':>14}{'std':>14}{'first':>8}{'second':>8}{'both':>7}{'by chance':>11}{'p':>10}")
    for left in ("shortlisted", "sticky"):
        for right in ("shortlisted", "sticky"):
            a, b = verdicts[f"{left}_contraction"], verdicts[f"{right}_std"]
            both = int((a & b).sum())
            chance = stats.hypergeom(size, int(a.sum()), int(b.sum()))
            print(f"{left:>14}{right:>14}{a.sum():8}{b.sum():8}{both:7}{chance.mean():11.1f}"
                  f"{chance.sf(both - 1):10.2g}")  # fmt: skip


def published_scores(
    encoder: TextEncoder, available: Mapping[int, str], chosen: Sequence[int], u: float, which: int
) -> np.ndarray:
    """Return published scores on one of the two sets of sentences, `(chosen,)`."""
    given = read_texts(StickyOptions()).sets[which]
    name, sentences = given.name, given.sentences
    bench = PublishedScorer.of(encoder, pairs_of_sentences(encoder, sentences, u, PAIRS, name))
    ids = list(available)
    places = {k for k, i in enumerate(ids) if i in set(chosen)}
    scores = {
        ids[k]: bench.score(available[ids[k]], slots)
        for k, slots in insertion_slots(len(ids), bench.words, COPIES, places)
    }
    return np.array([scores[i] for i in chosen])


def effects(encoder: TextEncoder, chosen: Sequence[int], u: float, which: int) -> np.ndarray:
    """Return effects on one of the two sets of sentences; their median is the ordinary token, `(chosen,)`."""
    one = probe_sets(encoder, read_texts(StickyOptions()).sets, StickyOptions(), 0)[which]
    lines = Baseline.of(one, one.cells)
    slopes = np.array([by_probe(measure_token(encoder, one, lines, i, u)) for i in chosen])
    return 1 - slopes.mean(axis=1) / np.median(slopes, axis=0).mean()


def spearman(left: np.ndarray, right: np.ndarray) -> str:
    """Return the rank correlation with a 95 % interval (bootstrap over tokens)."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(left), size=(2000, len(left)))
    low, high = np.percentile([stats.spearmanr(left[d], right[d]).statistic for d in drawn], [2.5, 97.5])
    return f"{stats.spearmanr(left, right).statistic:6.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--contraction", type=Path, default=RUN, help="a finished run over all tokens")
    parser.add_argument("--std", type=Path, default=RUN / "std", help="the same with --method std")
    parser.add_argument("--sample", type=int, default=150, help="random tokens")
    parser.add_argument("--most", type=int, default=60, help="tokens of a group that go through a search")
    arguments = parser.parse_args()
    verdicts = both_verdicts(arguments.contraction, arguments.std)
    encoder = open_text_encoder(arguments.model, device="cpu", threads=1)
    available = round_trip_tokens(encoder.source)
    judged = verdicts[verdicts["judged"] & verdicts.index.isin(list(available))]
    print_agreement(judged)

    u = float(read_json(arguments.std / "summary.json")["mean_token_similarity"])
    rng = np.random.default_rng(0)
    sample = sorted(rng.choice(judged.index.to_numpy(), arguments.sample, replace=False).tolist())
    scores = [published_scores(encoder, available, sample, u, which) for which in (0, 1)]
    effect = [effects(encoder, sample, u, which) for which in (0, 1)]
    print(f"\n{len(sample)} random tokens, Spearman with 95 % interval")
    print(f"published score on one set of sentences and on the other {spearman(*scores)}")
    print(f"effect          on one set of sentences and on the other {spearman(*effect)}")
    print(f"published score and effect, same set                     {spearman(scores[0], effect[0])}")

    data = retrieval_set()
    bench = RetrievalTrial(encoder, data.queries, data.documents, data.relevant)

    def damage(ids: Sequence[int]) -> np.ndarray:
        """Return nDCG@10 with the token in queries and in documents, `(ids, 2)`."""
        found = [bench.damage(int(i), COPIES) for i in ids]
        return np.array([[one.in_queries, one.in_documents] for one in found]).reshape(-1, 2)

    by_sample = damage(sample)
    for column, where in enumerate(("queries", "the document sought")):
        for name, values in (("published score", scores[0]), ("effect", effect[0])):
            print(f"{name:15} and nDCG@10, token in {where:22} {spearman(values, by_sample[:, column])}")

    contraction, std = judged["sticky_contraction"], judged["sticky_std"]
    groups = {
        "both": judged.index[contraction & std],
        "contraction only": judged.index[contraction & ~std],
        "std only": judged.index[~contraction & std],
        "shortlist of std, neither": judged.index[~contraction & ~std & judged["shortlisted_std"]],
    }
    print(f"\nnDCG@10 with {COPIES} copies; untouched {bench.untouched():.3f}")
    print(f"{'sticky by':28}{'tokens':>8}{'tried':>7}{'queries':>9}{'document':>10}")
    for name, members in groups.items():
        tried = rng.permutation(members.tolist())[: arguments.most]
        _print_row(name, len(members), damage(tried))
    _print_row("random tokens", len(judged), by_sample)


def _print_row(name: str, size: int, damage: np.ndarray) -> None:
    means = damage.mean(axis=0) if len(damage) else np.full(2, np.nan)
    print(f"{name:28}{size:8,}{len(damage):7}{means[0]:9.3f}{means[1]:10.3f}")


if __name__ == "__main__":
    main()
