"""What sticky tokens do to a user: retrieval damage, attention, and the pairs of the worst tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from forensics.progress import Progress
from forensics.schema.sticky import AttentionSummary, DamageEntry, RetrievalSummary, ScatterEntry
from forensics.sticky.attention import AttentionEncoder, attention_share
from forensics.sticky.interface import Encoder, Keep, Recall
from forensics.sticky.probes import ProbeSet
from forensics.sticky.retrieval import RetrievalTrial

__all__ = ["attention_of", "retrieval_of", "scatter_of"]

#: Ordinary tokens that the sticky ones are compared with: on all-MiniLM-L6-v2 their mean nDCG@10 then has a
#: standard error of about 0.012.
ORDINARY = 16
#: Sticky tokens, the worst first, that go through retrieval: 1.5 CPU seconds each on all-MiniLM-L6-v2, as
#: much as four tokens of the search.
MOST_RETRIEVAL = 256
#: Tokens of either kind whose attention is looked at, and texts they are put into.
ATTENTION_TOKENS, ATTENTION_TEXTS = 10, 8
#: Points of a scatter plot.
SCATTER_POINTS = 400


def retrieval_of(
    trial: RetrievalTrial,
    sticky: Sequence[int],
    ordinary: Sequence[int],
    copies: int,
    *,
    recall: Recall,
    keep: Keep,
    progress: Progress,
) -> RetrievalSummary:
    """Return nDCG@10 untouched, with each sticky token, and with ordinary tokens of the same length.

    :param trial: Queries and documents, embedded.
    :param sticky: The worst first.
    :param recall: Looks up results of an interrupted run.
    :param keep: Told every result as it comes.
    """
    worst, plain = sticky[:MOST_RETRIEVAL], ordinary[:ORDINARY]
    damage: dict[int, tuple[float, float]] = {}
    with progress.stage("retrieval", len(worst) + len(plain), "tokens") as stage:
        for token_id in [*worst, *plain]:
            kept = recall(f"retrieval:{token_id}")
            if kept is None:
                found = trial.damage(token_id, copies)
                kept = [found.in_queries, found.in_documents]
                keep(f"retrieval:{token_id}", kept)
            damage[token_id] = (kept[0], kept[1])
            stage.advance()
    means = np.array([damage[i] for i in plain]).mean(axis=0).tolist() if plain else [None, None]
    return RetrievalSummary(
        queries=trial.queries,
        documents=trial.documents,
        copies=copies,
        untouched=trial.untouched(),
        ordinary_in_queries=means[0],
        ordinary_in_documents=means[1],
        ordinary_tokens=_entries(plain, damage),
        tokens=_entries(worst, damage),
    )


def _entries(ids: Sequence[int], damage: Mapping[int, tuple[float, float]]) -> tuple[DamageEntry, ...]:
    return tuple(DamageEntry(i, *damage[i]) for i in ids)


def attention_of(
    encoder: AttentionEncoder,
    probe_set: ProbeSet,
    sticky: Sequence[int],
    ordinary: Sequence[int],
    copies: int,
    progress: Progress,
) -> AttentionSummary | None:
    """Return the share of attention by layer of the worst sticky and of ordinary tokens, None if hidden."""
    sentences = list(dict.fromkeys(cell.sentence for cell in probe_set.cells))[:ATTENTION_TEXTS]
    texts = [probe_set.contents[i] for i in sentences]
    groups = {"sticky": tuple(sticky[:ATTENTION_TOKENS]), "ordinary": tuple(ordinary[:ATTENTION_TOKENS])}
    shares: dict[str, tuple[tuple[float, ...], ...]] = {}
    with progress.stage("attention", sum(map(len, groups.values())), "tokens") as stage:
        for name, ids in groups.items():
            found = []
            for token_id in ids:
                share = attention_share(encoder, texts, token_id, copies)
                if share is None:
                    return None
                found.append(tuple(share.tolist()))
                stage.advance()
            shares[name] = tuple(found)
    # A share of what an even spread over positions would give needs the mean length of the texts.
    positions = float(np.mean([len(t) for t in texts])) + copies + len(encoder.before) + len(encoder.after)
    return AttentionSummary(even_share=copies / positions, token_ids=groups, shares=shares)


def scatter_of(
    encoder: Encoder, probe_set: ProbeSet, tokens: Sequence[tuple[str, int]]
) -> tuple[ScatterEntry, ...]:
    """Return similarities before and after of a few tokens, for plots.

    :param tokens: Kind (`sticky` or `ordinary`) and id.
    """
    before, mask = probe_set.before(probe_set.cells), probe_set.others(probe_set.cells)
    rng = np.random.default_rng(0)
    shown = np.sort(rng.choice(int(mask.sum()), size=min(SCATTER_POINTS, int(mask.sum())), replace=False))
    plots = []
    for kind, token_id in tokens:
        vectors = encoder.embed(probe_set.modified(token_id, probe_set.cells)).astype(np.float64)
        after = vectors @ probe_set.references.T
        points = (tuple(np.round(values[mask][shown], 4).tolist()) for values in (before, after))
        plots.append(ScatterEntry(kind, token_id, *points))
    return tuple(plots)
