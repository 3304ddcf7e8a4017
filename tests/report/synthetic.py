"""A run of a scan that never happened, small and complete: what the report's tests render.

The numbers are planted, not measured: tokens of `HOSTILE`, reserved entries, never-valid bytes and rows
past the vocabulary are untrained, so their indicator lies near zero and their `max_prob` below 0.01.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forensics.report.render import save_run
from forensics.report.results import Summary
from forensics.schema.manifest import Manifest
from forensics.schema.record import JsonObject, from_json
from forensics.schema.scan import ScanSummary
from forensics.schema.tokenizer import MergesSummary
from forensics.schema.tokens import TokensSummary
from forensics.schema.words import Category

_ENGLISH = """
the of and to in is that for it as was with be by on not he his but at are this have from or had
an they which one you were her all she there would their we him been has when who will more no
if out so said what up its about into than them can only other new some could time these two may
then do first any my now such like our over man me even most made after also did many before
must through
"""
WORDS = [f"{space}{word}" for space in (" ", "") for word in _ENGLISH.split()]
HOSTILE = [
    "<script>alert(1)</script>",
    "\u202eRTL\u202c",
    "\x00",
    "'",
    '"',
    "`",
    "|",
    "\u200b",
    "\u0301",
    "أهلا",
    "&amp;",
    "](x)",
    "\ufeff",
    "*b*",
    "\\",
    " " * 60,
]
PAST = 8


def build(seed: int = 0) -> tuple[pd.DataFrame, ScanSummary, Manifest]:
    """Return tokens, summary and manifest of the planted run."""
    tokens, vocabulary = _tokens(seed)
    return tokens, from_json(ScanSummary, _summary(tokens, vocabulary)), _manifest()


def save(folder: Path, tokens: pd.DataFrame, summary: Summary, manifest: Manifest) -> list[Path]:
    """Write a run whose only table is that of tokens, as `save_run` does."""
    return save_run(folder, summary.kind, {"tokens": tokens}, summary, manifest)


def _tokens(seed: int) -> tuple[pd.DataFrame, int]:
    """Return the tokens, and how many of them the vocabulary has."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []

    def add(text: str | None, raw: bytes | None, **more: Any) -> None:
        base = {
            "token_id": len(rows),
            "piece": text if text is not None else (raw.hex() if raw else None),
            "text": text,
            "bytes": raw,
            "category": "ok",
            "is_byte": False,
            "is_special": False,
            "is_added": False,
            "script": "Latin" if text and text.strip().isalpha() and text.isascii() else "Common",
            "reserved": None,
            "context": None,
            "reencodes_to": None,
            "byte_role": "",
            "untrained": False,
        }
        rows.append(base | more)

    for name in ("<|bos|>", "<|eos|>", "<pad>"):
        add(name, name.encode(), category="ok_special", is_special=True, is_added=True, role="special")
    for number in range(4):
        name = f"<unused{number}>"
        add(
            name,
            name.encode(),
            category="ok_special",
            is_added=True,
            reserved="unused",
            untrained=True,
            role="reserved",
        )
    for value in range(256):
        role = (
            "ascii"
            if value < 0x80
            else "continuation"
            if value < 0xC0
            else "never_valid"
            if value in (0xC0, 0xC1) or value > 0xF4
            else "lead"
        )
        raw = bytes([value])
        add(
            chr(value) if value < 0x80 else None, raw, is_byte=True, byte_role=role,
            category="ok" if value < 0x80 else "undecodable", untrained=role == "never_valid", role="byte",
        )  # fmt: skip
    for word in WORDS:
        add(word, word.encode(), context="a" if word == "ther" else None)
    for raw in (b"\xe2\x80", b"\xf0\x9f\x98", b"\xd8"):
        add(
            None,
            raw + b"\xa9" * (raw == b"\xd8") + b"",
            category="undecodable",
            role="partial_utf8",
            piece="Ã",
        )
    add(
        " unreachable",
        b" unreachable",
        category="unreachable_multi",
        reencodes_to="[263, 264]",
        role="unreachable",
        untrained=True,
    )
    add("ab", b"ab", context="x")
    for text in HOSTILE:
        add(text, text.encode("utf-8", "surrogatepass"), untrained=True)
    vocabulary = len(rows)
    for _ in range(PAST):
        add(None, None, category="unused_row", script="", untrained=True, role="reserved")

    tokens = pd.DataFrame(rows)
    low = tokens.pop("untrained").to_numpy(dtype=bool)
    size = len(tokens)
    cosine = np.where(low, rng.uniform(0.001, 0.06, size), rng.beta(9, 5, size) * 0.5 + 0.4).astype(
        np.float32
    )
    tokens["ein_l2_norm"] = (cosine * 3 + rng.normal(0, 0.08, size)).clip(0.01).astype(np.float32)
    tokens["eout_cosine"] = cosine
    tokens["eout_cosine_centered"] = (cosine + rng.normal(0, 0.02, size)).clip(0).astype(np.float32)
    past = np.arange(size) >= vocabulary
    tokens["duplicate_group"] = pd.array(np.where(past, 0, -1), dtype="Int32")
    tokens.loc[~past, "duplicate_group"] = pd.NA
    tokens["duplicate_size"] = np.where(past, PAST, 1).astype(np.int32)
    tokens["row_problem"] = None
    tokens.loc[size - 1, "row_problem"] = "zero"
    never = tokens["byte_role"].eq("never_valid").to_numpy()
    tokens["is_reference"] = never | past
    tokens["rank"] = pd.Series(cosine).rank(method="first").astype(np.int32)
    tokens["is_candidate"] = (tokens["rank"] <= 40) & tokens["category"].eq("ok")
    if "role" not in tokens:
        tokens["role"] = None
    audit = tokens["role"].isna() & ~tokens["is_candidate"] & (np.arange(size) % 5 == 0)
    tokens.loc[tokens["role"].isna() & tokens["is_candidate"], "role"] = "candidate"
    tokens.loc[audit, "role"] = "audit"
    tested = tokens["role"].notna().to_numpy() & ~past
    probability = np.where(low, 10 ** rng.uniform(-7, -2.1, size), 10 ** rng.uniform(-0.8, 0, size))
    probability[np.flatnonzero(tested & ~low)[:6]] = [0.05, 0.03, 0.004, 0.02, 0.08, 0.0008]
    tokens["max_prob"] = np.where(tested, probability, np.nan).astype(np.float32)
    tokens["max_prob_is_bound"] = pd.array(np.where(tested, probability >= 0.1, False), dtype="boolean")
    tokens.loc[~tested, "max_prob_is_bound"] = pd.NA
    tokens["verdict"] = [_verdict(p) if t else None for p, t in zip(tokens["max_prob"], tested, strict=True)]
    tokens["verified_by"] = pd.array([pd.NA] * size, dtype="Int32")
    tokens["evidence"] = [
        _evidence(float(p)) if t else None for p, t in zip(tokens["max_prob"], tested, strict=True)
    ]
    return tokens, vocabulary


def _verdict(probability: float) -> str:
    names = ((0.001, "verified_strong"), (0.01, "verified_weak"), (0.1, "inconclusive"))
    return next((name for below, name in names if probability < below), "rejected")


def _evidence(probability: float) -> str:
    prompts = [
        {
            "name": "explain", "probabilities": [probability, 0.0], "generated": [5, 9],
            "text": " a <b>\u202e word", "complete": True,
        },
        {
            "name": "repeat", "probabilities": [probability / 2], "generated": [7],
            "text": "\n", "complete": probability < 0.1,
        },
    ]  # fmt: skip
    return json.dumps({"max_prob": probability, "verdict": _verdict(probability), "prompts": prompts})


def _summary(tokens: pd.DataFrame, vocabulary: int) -> JsonObject:
    verdicts = tokens["verdict"].value_counts()
    strong, weak = int(verdicts.get("verified_strong", 0)), int(verdicts.get("verified_weak", 0))
    tested = int(tokens["verdict"].notna().sum())
    by_role = {
        str(role): {
            "tested": len(rows),
            "verified": int(rows["verdict"].str.startswith("verified").sum()),
        }
        for role, rows in tokens[tokens["verdict"].notna()].groupby("role")
    }
    found = Counter(tokens["category"])
    counts = {str(category): found[category] for category in Category}
    return {
        "kind": "scan",
        "model": "models/planted-tiny",
        "tokenizer": {
            "name": "planted-tiny", "format": "tokenizer.json", "type": "bpe", "vocab_size": vocabulary,
            "byte_level": True, "byte_fallback": False, "pretokenizer": None, "merges": 0, "added_tokens": 7,
        },
        "embedding": {
            "shape": [len(tokens), 64], "dtype": "BF16", "tied": True, "bias": False,
            "in_name": "model.embed_tokens.weight", "out_name": None, "tying": "tied",
            "tying_evidence": "no output matrix is stored and the architecture has a head",
        },
        "counts": counts | {"single_byte": 256, "partial_utf8": 3, "unreachable": 1, "special": 3},
        "sizes": {
            "config": len(tokens), "matrix": len(tokens), "tokenizer": vocabulary,
            "past_vocabulary": {
                "rows": PAST, "can_win_argmax": True,
                "explanation": "the largest of their norms is 1.3 times the median norm",
            },
        },
        "reference": {
            "ids": [int(each) for each in tokens.loc[tokens["is_reference"], "token_id"]],
            "how": ["13 bytes that UTF-8 never holds", "8 rows past the vocabulary"],
            "agreement": 0.97,
            "kinds": [
                {"kind": "never_valid_byte", "count": 13, "kept": 13, "agreement": 0.98},
                {"kind": "unused_row", "count": 9, "kept": 8, "agreement": 0.96},
            ],
            "dropped": [3],
        },
        "indicator": {
            "name": "eout_cosine", "why": "The matrix is tied and reference tokens stand apart (area 0.99)",
            "description": "cosine distance", "separation": {},
            "mean": 0.64, "sd": 0.2, "threshold": 0.42, "percent": 2.0, "n_candidates": 40,
            "data_driven": {
                "method": "gap", "threshold": 0.2, "n_below": 34,
                "explanation": "the widest gap between 0.06 and 0.41",
            },
            "names": ["ein_l2_norm", "eout_cosine", "eout_cosine_centered"],
        },
        "rows": {
            "problems": {"zero": 1}, "duplicate_groups": 1, "duplicate_rows": PAST,
            "near_duplicate_groups": 0, "near_duplicate_rows": 0,
        },
        "verification": {
            "tested": tested, "verified": strong + weak, "strong": strong,
            "weak": weak,
            "inconclusive": int(verdicts.get("inconclusive", 0)),
            "rejected": int(verdicts.get("rejected", 0)),
            "estimate_total": 41.5, "interval": [36.0, 58.0],
            "false_alarm_floor": {"share": 0.02, "interval": [0.0024, 0.0704], "n": 100},
            "recall": {"sample": 40, "verified_outside": {"value": 0.025, "interval": [0.0006, 0.13]}},
            "controls": {"tested": 20, "passed": 19, "share": 0.95},
            "stopped": "after 200 tokens in a row of which fewer than 2 % verified",
            "by_role": by_role, "skipped": None,
        },
        "special_tokens": [
            {
                "token_id": 0, "piece": "<|bos|>", "roles": ["bos"], "declared_in": ["tokenizer.json"],
                "encodes_to": [0], "single": True, "reserved": None, "trained": "rejected",
            },
            {
                "token_id": 2, "piece": "<pad>", "roles": ["pad"],
                "declared_in": ["tokenizer.json", "config.json"],
                "encodes_to": [67, 119], "single": False, "reserved": None, "trained": "verified_strong",
            },
        ],
        "role_agreement": {
            "bos": {"config.json": 0, "tokenizer_config.json": 0, "agree": True},
            "pad": {"config.json": 1, "tokenizer_config.json": 2, "agree": False},
        },
        "notes": ["Rows are BF16: equal rows can be made by rounding."],
        "seconds": {"read matrices": 1.25, "verify": 12.5},
        "peak_rss_bytes": 512 * 2**20,
    }  # fmt: skip


def _manifest() -> Manifest:
    return {
        "files": [{"path": "models/planted-tiny/model.safetensors", "size": 123456, "sha256": "ab" * 32}],
        "versions": {"python": "3.11.7", "forensics": "0.1.0", "numpy": "2.4.6"},
        "command_line": ["forensics", "scan", "models/planted-tiny"],
        "seed": 0,
        "parameters": {"candidates": 2.0, "verify": True},
        "machine": {"system": "Linux", "architecture": "x86_64"},
    }


def vocabulary_of(summary: ScanSummary) -> TokensSummary:
    """Return the summary of the same vocabulary without weights."""
    return TokensSummary(
        kind="tokens",
        model="tokenizer",
        tokenizer=summary.tokenizer,
        counts=summary.counts,
        merges=MergesSummary(0, ()),
        special_tokens=summary.special_tokens,
        role_agreement={},
        notes=(),
        seconds={},
        peak_rss_bytes=0,
    )
