"""How well indicators rank tokens of known training frequency, and what prompts and text say of them.

    python -m benchmarks.planted_truth [--seeds 2] [--steps 600]
    python -m benchmarks.planted_truth --behaviour [--seeds 2] [--steps 600]

Small models are trained on real text in which planted tokens occur 0, 1, 3, 10 or 30 times (see
`tests/planted_model.py`), tied and untied, with weight decay 0, 0.1 and 1. Printed per indicator: the average
precision for the tokens that never occurred, and the share of vocabulary that ranks below the median
token of each frequency (0 % = first of all).

`--behaviour` puts the whole vocabulary to probes and prompts (a census, then a sample of 500) and looks at
what verifies in the training text. Printed: the share of each frequency that verifies, and that is unknown in
text; precision and recall of both for tokens that never occurred; the estimate against the count. A model
this small hardly copies, which `controls` tells: the second look must do what the prompts cannot.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from forensics.runs.scan.run import scan
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.undertrained.probed_sample import Probing
from forensics.undertrained.probes import EXAMPLES, build_probes
from forensics.undertrained.prompts import build_prompts
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import SearchPlan
from forensics.undertrained.second_look import WholeText, look_again
from forensics.undertrained.token_evidence import text_of_ids
from forensics.undertrained.verification import Verifier
from forensics.vocabulary.spelling import token_bytes
from tests.planted_model import LEVELS, PlantedModel, real_text, train_planted_model
from tests.undertrained.test_planted_truth import average_precision


def main() -> None:
    """Train, scan and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--behaviour", action="store_true", help="prompts and text instead of indicators")
    options = parser.parse_args()
    if options.behaviour:
        for tied, seed in itertools.product((True, False), range(options.seeds)):
            _behaviour(train_planted_model(tied=tied, weight_decay=0.1, seed=seed, steps=options.steps), seed)
        return
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


def _behaviour(planted: PlantedModel, seed: int) -> None:
    """Print what probes, prompts and text say of one model's tokens."""
    with tempfile.TemporaryDirectory() as folder:
        path = planted.save(Path(folder))
        source = open_tokenizer(path)
        table = scan(path, verify=False, seed=seed).tokens
    table = table[(table.category == "ok") & ~table.is_byte].sort_values("rank")
    ranking = table.token_id.tolist()
    prompts = build_prompts(source)
    drawn = np.random.default_rng(seed).permutation(ranking[len(ranking) // 2 :]).tolist()
    probes = build_probes(source, prompts, drawn[:EXAMPLES])
    verifier = Verifier(planted.model, prompts, text_of_ids(token_bytes(source)), probes=probes)
    texts = [[encoding.ids for encoding in planted.tokenizer.encode_batch(real_text())]]
    never = {t for t in ranking if planted.counts[t] == 0}
    print(f"\n{'tied' if planted.model.config.tie_word_embeddings else 'untied'} seed {seed}: ", end="")
    print(f"{len(ranking)} tokens, {len(never)} of them never seen")
    for sample in (None, 500):
        plan = SearchPlan(ranking, least=round(0.02 * len(ranking)), controls=drawn[-24:])
        probing = Probing(verifier.probe, verifier.verify_past_probes, sample)
        found = search_down(verifier.verify, plan, np.random.default_rng(seed), probing=probing)
        verified = {t for t in ranking if t in found.evidence and found.evidence[t].verdict.is_verified}
        look = look_again(WholeText(planted.model), sorted(verified), texts, np.random.default_rng(seed))
        total = found.two_phase.total(without=look.cleared)
        print(
            f"{found.two_phase.method}: controls {found.controls_passed:.2f}, {len(verified)} verify; ",
            end="",
        )
        print(f"unknown in text: {total.value:.0f} ({total.low:.0f} to {total.high:.0f}) in all")
        for name, ids in (("verified", verified), ("unknown in text", look.unknown_in_text)):
            shares = [
                np.mean([t in ids for t, n in planted.planted.items() if n == level]) for level in LEVELS
            ]
            hits = len(never & ids)
            print(
                f"  {name:18s}" + "".join(f"  seen {n}: {x:.2f}" for n, x in zip(LEVELS, shares, strict=True))
            )
            print(f"  {'':18s}  precision {hits / max(1, len(ids)):.2f}, recall {hits / len(never):.2f}")


if __name__ == "__main__":
    main()
