"""Verification: the fast engine against one token at a time, on the same model in the same run.

    python -m benchmarks.verification                         # the demo model, a sample of its candidates
    python -m benchmarks.verification model.gguf --plain 40
    python -m benchmarks.verification demo --whole            # all candidates with the fast engine
    python -m benchmarks.verification demo --census 2048      # probes over random tokens, and what they leave

Both sides run on one thread. The plain side is `verify_plainly` with keys and values kept between the
steps of a prompt, which is what `generate` does. The two take turns over blocks of the candidate list, so
that whatever else the machine does meets both; CPU seconds, not wall time, are compared. Verdicts are
compared token by token, those of tokens that were settled early (see `verification.SETTLES_BELOW`) and those
that others spoke for (see `undertrained.kin`) apart.

The probes come first on both sides of `max_prob`: the plain side reads them one token at a time too.

The whole list: on a vocabulary with thousands of reserved or identical rows the plain procedure puts each
of them to the model, the scan one of every group. `--whole` takes that into account, with the measured
cost per token of either side.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forensics.runs.scan.run import scan
from forensics.schema.words import INCONCLUSIVE_BELOW, WEAK_BELOW
from forensics.sources.checkpoints.checkpoint import open_checkpoint
from forensics.sources.runtimes.causal_lm import load_causal_lm
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.undertrained.chat_prompt import build_chat_prompt
from forensics.undertrained.drafted_verification import DraftedVerifier
from forensics.undertrained.plain_verification import verify_plainly
from forensics.undertrained.probes import EXAMPLES, build_probes
from forensics.undertrained.prompts import build_prompts
from forensics.undertrained.token_evidence import TokenEvidence, text_of_ids
from forensics.undertrained.verification import Verifier
from forensics.vocabulary.spelling import token_bytes

#: Tokens per turn of the fast side; the plain side takes every `stride`-th of them.
TURN = 128


def candidate_list(model: str, percent: float) -> tuple[list[int], list[int], list[int]]:
    """Return the source's list, the part that a scan puts to the model, and the calmer half of all.

    The source verifies the lowest `percent` of the tokens that encode to themselves. A scan leaves out what
    the files declare reserved, and lets one of rows that are equal bit for bit speak for the others.
    """
    table = scan(model, verify=False).tokens
    able = table[table.category.isin(["ok", "ok_special"])].sort_values("rank")
    listed = able.head(round(len(able) * percent / 100))
    alone = listed.duplicate_group.isna() | ~listed.duplicate_group.duplicated()
    chosen = listed[listed.reserved.isna() & alone]
    return listed.token_id.tolist(), chosen.token_id.tolist(), able.tail(len(able) // 2).token_id.tolist()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--percent", type=float, default=2.0, help="share of the tokens on the list")
    parser.add_argument("--plain", type=int, default=60, help="tokens of the list that the plain side takes")
    parser.add_argument("--fast", type=int, default=512, help="tokens of the list that the fast side takes")
    parser.add_argument("--whole", action="store_true", help="the fast side takes the whole list")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--census", type=int, default=0, help="random tokens to probe, instead of the list")
    parser.add_argument("--draft", action="store_true", help="draft in bfloat16, see DraftedVerifier")
    parser.add_argument("--keep", type=Path, help="a file for the evidence of both sides, as JSON")
    options = parser.parse_args(arguments)

    import torch

    checkpoint, source = open_checkpoint(options.model), open_tokenizer(options.model)
    started = time.perf_counter()
    model = load_causal_lm(checkpoint, device="cpu", dtype=options.dtype, threads=1)
    print(f"{checkpoint.name}: loaded in {time.perf_counter() - started:.1f} s, {model.dtype}, ", end="")
    print(f"{torch.get_num_threads()} thread")

    prompts = build_prompts(source)
    if (chat := build_chat_prompt(source)) is not None:
        prompts = (*prompts, chat)
    decode = text_of_ids(token_bytes(source))
    listed, chosen, ordinary = candidate_list(options.model, options.percent)
    drawn = np.random.default_rng(0).permutation(ordinary).tolist()
    probes = build_probes(source, prompts, drawn[:EXAMPLES])
    verifier = (DraftedVerifier if options.draft else Verifier)(model, prompts, decode, probes=probes)
    lengths = ", ".join(f"{p.name} {len(p.ids)} ({p.shared_length} shared)" for p in (*probes, *prompts))
    print(f"prompts: {lengths}; drafted in bfloat16: {options.draft}")
    if options.census:
        _census(Verifier(model, prompts, decode, probes=probes), drawn[-options.census :])
        return
    print(f"list: {len(listed)} tokens, {len(chosen)} after groups and reserved rows")

    tested = chosen if options.whole else _spread(chosen, options.fast)
    plain_ids = set(_spread(tested, options.plain))
    fast_cost, plain_cost = [], []
    fast: dict[int, TokenEvidence] = {}
    plain: dict[int, TokenEvidence] = {}
    for start in range(0, len(tested), TURN):
        turn = tested[start : start + TURN]
        before = time.process_time()
        fast |= {e.token_id: e for e in verifier.verify(turn)}
        fast_cost.append((time.process_time() - before) / len(turn))
        for token_id in plain_ids.intersection(turn):
            before = time.process_time()
            plain[token_id] = verify_plainly(model, (*probes, *prompts), token_id, decode, use_cache=True)
            plain_cost.append(time.process_time() - before)
        print(f"{len(fast)} of {len(tested)} tokens, {len(plain)} plain", file=sys.stderr, flush=True)
    _report(fast, plain, fast_cost, plain_cost, len(listed), len(chosen))
    if options.keep is not None:
        sides = {"fast": fast.values(), "plain": plain.values()}
        kept = {side: [e.to_json() for e in found] for side, found in sides.items()}
        options.keep.write_text(json.dumps(kept), encoding="utf-8")


def _census(verifier: Verifier, tokens: Sequence[int]) -> None:
    """Print what the probes cost and leave open, beside the first prompt's cost on some of the tokens."""
    before = time.process_time()
    first = verifier.cascade.first.read(tokens)
    probe_cost = (time.process_time() - before) / len(tokens)
    few = tokens[:TURN]
    alone = Verifier(verifier.model, verifier.prompts[:1], str, steps=1)
    before = time.process_time()
    alone.verify(few)
    prompt_cost = (time.process_time() - before) / len(few)
    before = time.process_time()
    reading = verifier.probe(tokens, WEAK_BELOW)
    cascade_cost = (time.process_time() - before) / len(tokens)
    left = int((~(np.exp(reading.log_p) >= WEAK_BELOW).any(axis=1)).sum())
    name = verifier.prompts[0].name
    print(f"packed: {', '.join(verifier.cascade.packed) or 'none'}")
    print(f"{verifier.probes[0].name}: {1000 * probe_cost:.1f} ms a token; {name}: {1000 * prompt_cost:.1f}")
    print(f"all probes: {1000 * cascade_cost:.1f} ms a token; {left} of {len(tokens)} tokens are left open")
    for threshold in (WEAK_BELOW, INCONCLUSIVE_BELOW):
        share = np.mean(np.exp(first.log_p) >= threshold)
        print(f"reach {threshold} in {verifier.probes[0].name}: {share:.3f}")


def _spread(ids: Sequence[int], count: int) -> list[int]:
    """Return `count` of `ids`, evenly spread."""
    places = np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)
    return [ids[i] for i in places]


def _report(
    fast: dict[int, TokenEvidence],
    plain: dict[int, TokenEvidence],
    fast_cost: list[float],
    plain_cost: list[float],
    listed: int,
    chosen: int,
) -> None:
    slow, quick = statistics.median(plain_cost), statistics.median(fast_cost)
    print(f"\n{'':34}{'plain':>12}{'fast':>12}{'ratio':>9}")
    print(f"{'tokens':34}{len(plain):12}{len(fast):12}")
    print(f"{'CPU s/token, median':34}{slow:12.3f}{quick:12.4f}{slow / quick:9.1f}")
    mean_slow = statistics.fmean(plain_cost)
    mean_quick = statistics.fmean(fast_cost)
    print(f"{'CPU s/token, mean':34}{mean_slow:12.3f}{mean_quick:12.4f}{mean_slow / mean_quick:9.1f}")
    whole = (mean_slow * listed, mean_quick * chosen)
    print(f"{'CPU s, whole list (from means)':34}{whole[0]:12.0f}{whole[1]:12.0f}{whole[0] / whole[1]:9.1f}")
    print("fast verdicts:", dict(Counter(e.verdict.value for e in fast.values())))
    print("plain verdicts:", dict(Counter(e.verdict.value for e in plain.values())))
    early = [t for t in plain if fast[t].max_prob_is_bound and _max(fast[t]) < INCONCLUSIVE_BELOW]
    spoken_for = [t for t in early if fast[t].kin is not None]
    for name, some in (("settled early", set(early) - set(spoken_for)), ("spoken for by kin", spoken_for)):
        wrong = [t for t in some if fast[t].verdict is not plain[t].verdict]
        print(f"{name}: {len(some)} of {len(plain)}; verdicts among them that differ: {len(wrong)}")
    differ = [t for t, e in plain.items() if e.verdict is not fast[t].verdict]
    print(f"verdicts that differ: {len(differ)} of {len(plain)} {differ or ''}")
    for threshold in (WEAK_BELOW, INCONCLUSIVE_BELOW):
        differ = [t for t, e in plain.items() if (_max(e) < threshold) != (_max(fast[t]) < threshold)]
        print(f"verdicts that differ at {threshold}: {len(differ)} of {len(plain)} {differ or ''}")


def _max(evidence: TokenEvidence) -> float:
    return float("nan") if evidence.max_prob is None else evidence.max_prob


if __name__ == "__main__":
    main()
