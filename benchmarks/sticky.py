"""Sticky tokens: CPU seconds per token, this package against the plain procedure, in the same run.

    python -m benchmarks.sticky                 # all-MiniLM-L6-v2, 300 random tokens, 20 the plain way
    python -m benchmarks.sticky --words 10      # on pairs of short sentences

The plain procedure takes one token at a time and hands its 121 texts to `SentenceTransformer.encode`. Both
sides on one thread, and on as many as they take by themselves. The sides take turns token by token, so that
whatever else the machine does meets all of them; CPU seconds are compared, not wall time. Scores are
compared with the plain ones token by token; where they differ, with plain ones in float64. For scale: the
arithmetic of the matrix products alone, at the rate at which torch multiplies matrices of the model's size
on one thread here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forensics.progress import Progress
from forensics.runs.sticky.contraction import probe_sets
from forensics.runs.sticky.inputs import read_texts
from forensics.schema.sticky import StickyOptions
from forensics.sources.runtimes.text_encoder import open_text_encoder
from forensics.sticky.available import reachable_tokens, round_trip_tokens
from forensics.sticky.contraction import Baseline, measure_token
from forensics.sticky.early_stop import best_scores
from forensics.sticky.find_as_published import shortlist_threshold
from forensics.sticky.insertion import Mode
from forensics.sticky.pairs import SentencePair, pairs_of_sentences
from forensics.sticky.published_score import MODE_WEIGHTS, cell_score
from forensics.sticky.published_scorer import PublishedScorer
from forensics.sticky.published_texts import insertion_slots, modified_texts
from forensics.sticky.screening import BLOCK, screen_block
from forensics.vocabulary.build import build_vocabulary

#: Mean similarity of the vocabulary's entries, only to choose pairs: measuring it costs every side the same.
U = 0.2
COPIES = 8
#: Percent.
SHORTLIST = 2.0
#: Full measurements in the run of results/all-MiniLM-L6-v2: 1,687 shortlisted, 100 below the bar, 64 ordinary
#: tokens twice, 255 confirmations.
MEASUREMENTS = 1_687 + 100 + 2 * 64 + 255


class PlainProcedure:
    """One token at a time through sentence-transformers."""

    def __init__(self, path: Path, pairs: Sequence[SentencePair], *, double: bool = False) -> None:
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(path), device="cpu")
        if double:
            self.model.double()
        self.pairs = pairs
        self.first = self._encode([p.sentence1 for p in pairs])
        self.start = 1 - (self.first * self._encode([p.sentence2 for p in pairs])).sum(1)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.encode(texts, show_progress_bar=False, normalize_embeddings=True).astype(np.float64)

    def positions(self, token: str, slots: Sequence[Sequence[int]]) -> int:
        """Return how many token positions the texts of a score have, padding not counted."""
        return sum(len(ids) for ids in self.model.tokenizer(self._texts(token, slots))["input_ids"])

    def _texts(self, token: str, slots: Sequence[Sequence[int]]) -> list[str]:
        texts = [token]
        for pair, places in zip(self.pairs, slots, strict=True):
            by_mode = modified_texts(token, pair.sentence2, places)
            texts += [text for mode in Mode for text in by_mode[mode]]
        return texts

    def score(self, token: str, slots: Sequence[Sequence[int]]) -> float:
        """Return the published score: 3 x 8 texts for each pair and the bare token, encoded together."""
        vectors = self._encode(self._texts(token, slots))
        shape = (len(self.pairs), len(Mode), len(slots[0]), -1)
        after = 1 - np.einsum("pd,pmcd->pmc", self.first, vectors[1:].reshape(shape))
        bare = 1 - self.first @ vectors[0]
        total = 0.0
        for p in range(len(self.pairs)):
            for m, mode in enumerate(Mode):
                distances = np.concatenate([[self.start[p]], after[p, m]])
                total += MODE_WEIGHTS[mode] * cell_score(distances, float(bare[p]))
        return total / len(self.pairs)


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return a result and the CPU seconds it took."""
    started = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - started


def matrix_rate(size: int) -> float:
    """Return the operations a second of products like the model's largest, on one thread."""
    left, right = torch.randn(2048, size), torch.randn(size, 4 * size)
    best = min(timed(lambda: left @ right)[1] for _ in range(20))
    return 2 * 2048 * size * 4 * size / best


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--tokens", type=int, default=300, help="random tokens for this package")
    parser.add_argument("--plain", type=int, default=20, help="how many of them also go the plain way")
    parser.add_argument("--words", type=int, help="pairs of sentences of this many words at most")
    arguments = parser.parse_args()
    default_threads = torch.get_num_threads()
    as_users = open_text_encoder(arguments.model, device="cpu")
    encoder = open_text_encoder(arguments.model, device="cpu", threads=1)
    by_torch = open_text_encoder(arguments.model, device="cpu", threads=1, backend="torch")
    cheap = open_text_encoder(arguments.model, device="cpu", threads=1, dtype="bfloat16")
    available = round_trip_tokens(encoder.source)
    rng = np.random.default_rng(0)
    chosen = sorted(int(i) for i in rng.choice(np.array(list(available)), arguments.tokens, replace=False))
    some = {i: available[i] for i in chosen}
    texts = list(some.values())
    given = read_texts(StickyOptions()).sets[0]
    name, sentences = given.name, given.sentences
    if arguments.words:
        sentences = [s for s in sentences if len(s.split()) <= arguments.words]
    pairs = pairs_of_sentences(encoder, sentences, U, 5, name)
    bench, plain = PublishedScorer.of(encoder, pairs), PlainProcedure(encoder.path, pairs)
    torch_bench, users_bench = PublishedScorer.of(by_torch, pairs), PublishedScorer.of(as_users, pairs)
    slots = dict(insertion_slots(len(some), bench.words, COPIES, set(range(len(some)))))

    names = ("plain", "std", "std by torch", "measure", "screen", "screen bf16")
    names += ("plain, default threads", "std, default threads")
    seconds: dict[str, float] = dict.fromkeys(names, 0.0)
    compared: dict[int, tuple[float, float]] = {}
    positions = 0
    probe_set = probe_sets(encoder, read_texts(StickyOptions()).sets, StickyOptions(), 0)[0]
    lines = Baseline.of(probe_set, probe_set.cells)

    def take_turns(k: int) -> None:
        """Take every side's turn with one token."""
        nonlocal positions
        text = texts[k]
        positions += plain.positions(text, slots[k])
        expected, spent = timed(plain.score, text, slots[k])
        seconds["plain"] += spent
        torch.set_num_threads(default_threads)
        seconds["plain, default threads"] += timed(plain.score, text, slots[k])[1]
        seconds["std, default threads"] += timed(users_bench.score, text, slots[k])[1]
        torch.set_num_threads(1)
        found, spent = timed(bench.score, text, slots[k])
        seconds["std"] += spent
        seconds["std by torch"] += timed(torch_bench.score, text, slots[k])[1]
        compared[k] = (found, expected)
        seconds["measure"] += timed(measure_token, encoder, probe_set, lines, chosen[k], U)[1]

    # The search as a run does it, with a turn of the other sides after every tenth of its steps. With a small
    # vocabulary it has less to learn from than with the whole.
    tested = min(arguments.plain, len(some))
    steps, left, meanwhile = 0, iter(range(tested)), 0.0

    def keep(key: str, value: object) -> None:
        nonlocal steps, meanwhile
        steps += 1
        if steps % 10 == 0 and (k := next(left, None)) is not None:
            meanwhile += timed(take_turns, k)[1]

    best, search_seconds = timed(
        lambda: best_scores(
            bench, some, copies=COPIES, percent=SHORTLIST, recall=lambda key: None, keep=keep,
            progress=Progress(),
        )
    )  # fmt: skip
    for k in left:
        take_turns(k)
    screen_lines = Baseline.of(probe_set, probe_set.screen_cells)
    blocks = [chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK)]
    for block in blocks:
        seconds["screen"] += timed(screen_block, encoder, probe_set, screen_lines, block)[1]
        seconds["screen bf16"] += timed(screen_block, cheap, probe_set, screen_lines, block)[1]

    scores = {token_id: bench.score(text, slots[k]) for k, (token_id, text) in enumerate(some.items())}
    threshold = shortlist_threshold(scores, SHORTLIST)
    shortlist = {i: score for i, score in scores.items() if score >= threshold}
    known = {i: score for i, score in best.items() if score is not None}
    kept = {i: score for i, score in known.items() if score >= threshold} == shortlist

    per = {key: spent / (len(some) if key.startswith("screen") else tested) for key, spent in seconds.items()}
    size = len(reachable_tokens(build_vocabulary(encoder.source, encoder.rows)))
    # Every token is screened, some are measured in full on one or both sets of sentences.
    share = MEASUREMENTS / size
    for label, screen in (
        ("contraction, whole vocabulary", "screen"),
        ("the same, screen in bfloat16", "screen bf16"),
    ):
        per[label] = per[screen] + share * per["measure"]
    per["std, early stop"] = (search_seconds - meanwhile) / len(some)
    print(f"{encoder.name}, {tested} tokens the plain way, {len(some)} by this package")
    print(f"one thread where none is stated, {default_threads} by default\n")
    print(f"{'':34}{'CPU-s/token':>12}{'times faster':>14}")
    for key, value in per.items():
        print(f"{key:34}{value:12.4f}{per['plain'] / value:14.1f}")
    # Two operations for every weight of the blocks and every position.
    weights = sum(p.numel() for n, p in by_torch.model.named_parameters() if ".layer" in n and p.ndim == 2)
    rate = matrix_rate(by_torch.dimension)
    floor = 2 * weights * positions / tested / rate
    print(f"{'matrix products of the 121 texts':34}{floor:12.4f}{per['plain'] / floor:14.1f}"
          f"   ({positions / tested:,.0f} positions, {rate / 1e9:.0f} GFLOP/s)")  # fmt: skip
    apart = {k: both for k, both in compared.items() if abs(both[0] - both[1]) > 1e-5}
    largest = max((abs(a - b) for k, (a, b) in compared.items() if k not in apart), default=0.0)
    print(
        f"\nscores: {len(apart)} of {tested} further than 1e-5 from plain, the others at most {largest:.1e}"
    )
    if apart:
        # A step of the distances near 0 has a sign in float64 where float32 has none.
        exact = PlainProcedure(encoder.path, pairs, double=True)
        for k, (found, expected) in apart.items():
            true = exact.score(texts[k], slots[k])
            print(f"  {texts[k]!r}: {found:.6f}, plain {expected:.6f}, plain in float64 {true:.6f}")
    print(f"early stop: shortlist and its scores kept {kept}, {len(known)} of {len(some)} scored in full")


if __name__ == "__main__":
    main()
