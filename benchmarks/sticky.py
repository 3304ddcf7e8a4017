"""Sticky tokens: CPU seconds per token, this package against the plain procedure, in the same run.

    python -m benchmarks.sticky                 # all-MiniLM-L6-v2, 40 random tokens
    python -m benchmarks.sticky --tokens 200 --plain 40

The plain procedure takes one token at a time and hands its 121 texts to `SentenceTransformer.encode`. The
sides take turns token by token, on one thread, so that whatever else the machine does meets all of them;
CPU seconds are compared, not wall time. Scores are compared with the plain ones token by token.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forensics.runs.sticky_contraction import probe_sets
from forensics.runs.sticky_inputs import StickyOptions, reachable_tokens, round_trip_tokens, sentence_sets
from forensics.sources.text_encoder import open_text_encoder
from forensics.sticky.contraction import Lines, measure_token
from forensics.sticky.find_as_published import PublishedPlan, find_as_published
from forensics.sticky.insertion import Mode
from forensics.sticky.pairs import SentencePair, pairs_of_sentences
from forensics.sticky.published_score import MODE_WEIGHTS, cell_score
from forensics.sticky.published_scorer import PairBench
from forensics.sticky.published_texts import insertion_slots, modified_texts
from forensics.sticky.screening import BLOCK, screen_block
from forensics.vocabulary.build import build_vocabulary

#: Mean similarity of the vocabulary's entries, only to choose pairs: measuring it costs every side the same.
U = 0.25
COPIES = 8


class PlainProcedure:
    """One token at a time through sentence-transformers."""

    def __init__(self, path: Path, pairs: Sequence[SentencePair]) -> None:
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(path), device="cpu")
        self.pairs = pairs
        self.first = self._encode([p.sentence1 for p in pairs])
        self.start = 1 - (self.first * self._encode([p.sentence2 for p in pairs])).sum(1)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.encode(texts, show_progress_bar=False, normalize_embeddings=True).astype(np.float64)

    def score(self, token: str, slots: Sequence[Sequence[int]]) -> float:
        """Return the published score: 3 x 8 texts for each pair and the bare token, encoded together."""
        texts = [token]
        for pair, places in zip(self.pairs, slots, strict=True):
            by_mode = modified_texts(token, pair.sentence2, places)
            texts += [text for mode in Mode for text in by_mode[mode]]
        vectors = self._encode(texts)
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


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--tokens", type=int, default=40, help="random tokens for this package")
    parser.add_argument("--plain", type=int, default=40, help="how many of them also go the plain way")
    arguments = parser.parse_args()
    encoder = open_text_encoder(arguments.model, device="cpu", threads=1)
    cheap = open_text_encoder(arguments.model, device="cpu", threads=1, dtype="bfloat16")
    available = round_trip_tokens(encoder.source)
    rng = np.random.default_rng(0)
    chosen = sorted(int(i) for i in rng.choice(np.array(list(available)), arguments.tokens, replace=False))
    some = {i: available[i] for i in chosen}
    name, sentences = sentence_sets(StickyOptions())[0]
    pairs = pairs_of_sentences(encoder, sentences, U, 5, name)
    bench, plain = PairBench.of(encoder, pairs), PlainProcedure(encoder.path, pairs)
    slots = dict(insertion_slots(len(some), bench.words, COPIES, set(range(len(some)))))

    seconds: dict[str, float] = dict.fromkeys(("plain", "std", "measure", "screen", "screen bf16"), 0.0)
    differences = []
    probe_set = probe_sets(encoder, StickyOptions(), 0)[0]
    lines = Lines.of(probe_set, probe_set.cells)
    for k, (token_id, text) in enumerate(some.items()):
        if k < arguments.plain:
            expected, spent = timed(plain.score, text, slots[k])
            seconds["plain"] += spent
            found, spent = timed(bench.score, text, slots[k])
            seconds["std"] += spent
            differences.append(abs(found - expected))
            seconds["measure"] += timed(measure_token, encoder, probe_set, lines, token_id, U)[1]
    screen_lines = Lines.of(probe_set, probe_set.screen_cells)
    blocks = [chosen[start : start + BLOCK] for start in range(0, len(chosen), BLOCK)]
    for block in blocks:
        seconds["screen"] += timed(screen_block, encoder, probe_set, screen_lines, block)[1]
        seconds["screen bf16"] += timed(screen_block, cheap, probe_set, screen_lines, block)[1]

    early = PublishedPlan(some, copies=COPIES, early_stop=True)
    whole = PublishedPlan(some, copies=COPIES)
    empty = PairBench.of(encoder, pairs[:1])  # one pair: the validation is not what is timed
    stopped, stop_seconds = timed(find_as_published, bench, empty, early)
    full = find_as_published(bench, empty, whole)

    tested = min(arguments.plain, len(some))
    per = {
        key: seconds[key] / (tested if key in ("plain", "std", "measure") else len(some)) for key in seconds
    }
    size = len(reachable_tokens(build_vocabulary(encoder.source, encoder.rows)))
    # Every token is screened; 2 % and a sample of 256 are measured in full, on two sets of sentences.
    share = 0.02 + 256 / size
    for label, screen in (
        ("contraction, whole vocabulary", "screen"),
        ("the same, screen in bfloat16", "screen bf16"),
    ):
        per[label] = per[screen] + 2 * share * per["measure"]
    per["std, early stop"] = stop_seconds / len(some)
    print(f"{encoder.name}, {tested} tokens the plain way, {len(some)} by this package, one thread\n")
    print(f"{'':34}{'CPU-s/token':>12}{'times faster':>14}")
    for key, value in per.items():
        print(f"{key:34}{value:12.4f}{per['plain'] / value:14.1f}")
    over = sum(d > 1e-5 for d in differences)
    print(f"\nscores: largest difference to plain {max(differences):.2e}, {over} of {tested} above 1e-5")
    print(f"early stop: same shortlist {set(stopped.validation) == set(full.validation)}, "
          f"{sum(s is None for s in stopped.scores.values())} of {len(some)} stopped")  # fmt: skip


if __name__ == "__main__":
    main()
