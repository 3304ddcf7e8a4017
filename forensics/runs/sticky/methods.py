"""The two methods of `sticky` as runs: from a model to the columns and the summary of a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.progress import Progress
from forensics.runs.sticky.contraction import (
    contraction_columns,
    contraction_summary,
    probe_sets,
    run_contraction,
)
from forensics.runs.sticky.effects import attention_of, retrieval_of, scatter_of
from forensics.runs.sticky.inputs import StickyOptions, reachable_tokens, round_trip_tokens
from forensics.runs.sticky.kept_results import Memory
from forensics.runs.sticky.published import (
    pair_benches,
    published_columns,
    published_summary,
    run_published,
    weaknesses,
)
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_method"]


def run_method(
    encoder: TextEncoder,
    screen: TextEncoder | None,
    vocabulary: Vocabulary,
    u: float,
    options: StickyOptions,
    seed: int,
    memory: Memory,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Run the method asked for and return its columns, one row per token, and its part of the summary.

    :param encoder: The model.
    :param screen: The same in a cheaper dtype, for the screen of `contraction`; None takes `encoder`.
    :param vocabulary: What its tokens are.
    :param u: Mean similarity of the vocabulary's entries.
    :param options: What is asked for.
    :param seed: Seed of `contraction`; `std` has the published one.
    :param memory: Results of an interrupted run.
    :param progress: Where to report.
    :raises BadInputError: If the sentences, the pairs or the model do not allow it.
    """
    if options.method == "contraction":
        return _contraction(encoder, screen, vocabulary, u, options, seed, memory, progress)
    return _published(encoder, u, options, memory, progress)


def _contraction(
    encoder: TextEncoder,
    screen: TextEncoder | None,
    vocabulary: Vocabulary,
    u: float,
    options: StickyOptions,
    seed: int,
    memory: Memory,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    sets = probe_sets(encoder, options, seed)
    available = [i for i in reachable_tokens(vocabulary) if i < encoder.rows]
    result = run_contraction(encoder, sets, u, available, options, seed, memory, progress, screen)
    columns = contraction_columns(result, encoder.rows)
    worst = [int(i) for i in columns.index[columns["sticky"]]]
    worst.sort(key=lambda i: (-result.findings[i].effect.effect, i))
    # Ordinary tokens are the random sample less whatever was found, in random order.
    calm = [i for i in result.sample if not result.findings[i].sticky]
    ordinary = [int(i) for i in np.random.default_rng([seed, 1]).permutation(calm)]
    summary = {"available": len(available), **contraction_summary(result, sets, options)}
    if worst and options.effects:
        copies = options.insertions
        summary["retrieval"] = retrieval_of(encoder, worst, ordinary, copies, memory, progress)
        summary["attention"] = attention_of(encoder, sets[0], worst, ordinary, copies, progress)
        for key in ("in_queries", "in_documents"):
            tried = [*summary["retrieval"]["tokens"], *summary["retrieval"]["ordinary_tokens"]]
            found = {row["token_id"]: row[key] for row in tried}
            columns[f"ndcg_{key}"] = columns.index.map(found).astype(np.float64)
    median = sorted(calm, key=lambda i: abs(result.findings[i].effect.effect))[:1]
    shown = [*(("sticky", i) for i in worst[:5]), *(("ordinary", i) for i in median)]
    summary["scatter"] = scatter_of(encoder, sets[0], shown)
    summary["notes"] = _contraction_notes(options)
    return columns, summary


def _contraction_notes(options: StickyOptions) -> list[str]:
    notes = [
        "Tokens are inserted by id. A text can hold the same run of ids only for tokens that some text "
        "produces; tokens that none produces are left out unless asked for with --tokens.",
        "The false-discovery rate holds for the model and this kind of probes; the probes are a sample of "
        "sentences, the tokens are all there are.",
    ]
    if options.tokens is not None:
        notes.append(
            "Only some tokens were asked for: slopes and effects are those of a full run, q-values are over "
            "the tokens measured here, so that a verdict close to the border may differ."
        )
    return notes


def _published(
    encoder: TextEncoder, u: float, options: StickyOptions, memory: Memory, progress: Progress
) -> tuple[pd.DataFrame, dict[str, Any]]:
    available = round_trip_tokens(encoder.source)
    if options.tokens is not None:
        left_out = [i for i in options.tokens if i not in available]
        options = replace(options, tokens=tuple(i for i in options.tokens if i in available))
    else:
        left_out = []
    scoring, validating, remarks = pair_benches(encoder, options, u)
    result = run_published((scoring, validating), available, options, memory, progress)
    summary = {
        "available": len(available),
        **published_summary(result, (scoring, validating), available, options),
    }
    notes = [*remarks, *weaknesses(summary)]
    if left_out:
        notes.insert(0, f"{len(left_out)} of the tokens asked for do not survive decoding and are left out: "
                     f"{', '.join(map(str, left_out[:20]))}.")  # fmt: skip
    if options.tokens is not None:
        notes.insert(0, "Only some tokens were asked for: shortlist and fence are shares of the whole "
                     "vocabulary, so there is no verdict; all of them were validated.")  # fmt: skip
    return published_columns(result, encoder.rows), {**summary, "notes": notes}
