"""The guard run: the model on ordinary text, untouched and with the new rows in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.progress import Progress, Stage
from forensics.repairing.guard import ReadText, judge
from forensics.runs.repair.inputs import RepairInputs
from forensics.runs.repair.plan import RepairPlan
from forensics.runs.repair.text import WINDOW, guard_windows
from forensics.schema.repair import GuardSummary, RepairOptions
from forensics.sources.texts.corpora import Corpus

__all__ = ["Guarded", "read_windows", "run_guard"]


@dataclass(frozen=True, eq=False)
class Guarded:
    """What the guard says, and what it saw of every row; arrays of shape (n,) in the order of the plan."""

    summary: GuardSummary
    #: Mean and largest probability before (NaN for a new row) and after.
    mean_before: npt.NDArray[np.float64]
    mean_after: npt.NDArray[np.float64]
    max_before: npt.NDArray[np.float64]
    max_after: npt.NDArray[np.float64]


def run_guard(
    inputs: RepairInputs,
    plan: RepairPlan,
    corpora: Mapping[str, Sequence[Corpus]],
    options: RepairOptions,
    progress: Progress,
) -> Guarded:
    """Return what the guard says of a plan.

    :raises ForensicsError: If the model cannot be run, without which nothing is known of the harm.
    """
    from forensics.sources.runtimes.causal_lm import load_causal_lm, position_count
    from forensics.sources.runtimes.replaced_rows import replaced_rows
    from forensics.undertrained.prompts import leading_special_ids

    with progress.stage("load model"):
        model = load_causal_lm(
            inputs.checkpoint, device=options.device, dtype=options.dtype, threads=options.threads
        )
    start = leading_special_ids(inputs.source)
    positions = position_count(model)
    window = WINDOW if positions is None else min(WINDOW, positions - len(start))
    rows = min(inputs.sizes_before.embedding, inputs.sizes_after.embedding)
    windows = guard_windows(corpora, inputs.source, rows, window)
    old = plan.ids[plan.ids < inputs.sizes_before.embedding]
    count = sum(map(len, windows.values()))
    with progress.stage("guard: untouched", count, "windows") as stage:
        before = read_windows(model, windows, start, old, stage)
    with (
        progress.stage("guard: repaired", count, "windows") as stage,
        replaced_rows(model, plan.rows) as repaired,
    ):
        after = read_windows(repaired, windows, start, plan.ids, stage)
    fill = len(plan.ids) - len(old)
    return Guarded(
        summary=judge(before, after, plan.ids),
        mean_before=np.append(_per_row(before, "mean"), np.full(fill, np.nan)),
        mean_after=_per_row(after, "mean"),
        max_before=np.append(_per_row(before, "max"), np.full(fill, np.nan)),
        max_after=_per_row(after, "max"),
    )


def read_windows(
    model: Any,
    windows: Mapping[str, Sequence[Sequence[int]]],
    start: Sequence[int],
    rows: npt.NDArray[np.int64],
    stage: Stage,
) -> dict[str, ReadText]:
    """Return what the model says of each kind of text.

    :param model: A causal language model, as it is or with rows exchanged.
    :param windows: Kind of text -> stretches of ids.
    :param start: Ids that the model expects before every text (BOS).
    :param rows: Rows whose probability is watched.
    :param stage: Hears of every window.
    """
    from forensics.sources.runtimes.token_scores import score_tokens

    found = {}
    for kind, of_kind in windows.items():
        scores = []
        for ids in of_kind:
            scores.append(score_tokens(model, ids, start, rows.tolist()))
            stage.advance()
        found[kind] = ReadText(
            np.concatenate([each.log_p for each in scores]),
            np.concatenate([each.watched for each in scores]),
            np.concatenate([each.argmax for each in scores]),
        )
    return found


def _per_row(read: Mapping[str, ReadText], how: str) -> npt.NDArray[np.float64]:
    """Return the mean or the largest probability of every row over all text."""
    everything = np.concatenate([each.on_rows for each in read.values()])
    found = everything.mean(axis=0, dtype=np.float64) if how == "mean" else everything.max(axis=0)
    return np.asarray(found, dtype=np.float64)
