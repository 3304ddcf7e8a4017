"""What sticky tokens do to a user: retrieval damage, attention, and the pairs of the worst tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forensics.progress import Progress
from forensics.runs.sticky.kept_results import Memory
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sources.texts.sentences import retrieval_set
from forensics.sticky.attention import attention_share
from forensics.sticky.probes import ProbeSet
from forensics.sticky.retrieval import RetrievalBench

__all__ = ["attention_of", "retrieval_of", "scatter_of"]

#: Ordinary tokens that the sticky ones are compared with: on all-MiniLM-L6-v2 their mean nDCG@10 then has a
#: standard error of about 0.012.
ORDINARY = 16
#: Sticky tokens, the worst first, that go through retrieval: 1.5 CPU seconds each on all-MiniLM-L6-v2, as
#: much as four tokens of the search.
MOST_RETRIEVAL = 256
#: Tokens of either kind whose attention is looked at, and texts they are put into.
ATTENTION_TOKENS, ATTENTION_TEXTS = 10, 8
#: Tokens shown as scatter plots, and points of each.
SCATTER_TOKENS, SCATTER_POINTS = 5, 400


def retrieval_of(
    encoder: TextEncoder,
    sticky: Sequence[int],
    ordinary: Sequence[int],
    copies: int,
    memory: Memory,
    progress: Progress,
) -> dict[str, Any]:
    """Return nDCG@10 untouched, with each sticky token, and with ordinary tokens of the same length."""
    data = retrieval_set()
    chosen = [*sticky[:MOST_RETRIEVAL], *ordinary[:ORDINARY]]
    with progress.stage("retrieval", len(chosen), "tokens") as stage:
        bench = RetrievalBench(encoder, data.queries, data.documents, data.relevant)
        damage = {}
        for token_id in chosen:
            kept = memory.recall(f"retrieval:{token_id}")
            if kept is None:
                found = bench.damage(token_id, copies)
                kept = [found.in_queries, found.in_documents]
                memory.keep(f"retrieval:{token_id}", kept)
            damage[token_id] = kept
            stage.advance()
    plain = np.array([damage[i] for i in ordinary[:ORDINARY]])
    return {
        "queries": len(data.queries),
        "documents": len(data.documents),
        "copies": copies,
        "untouched": bench.untouched(),
        "ordinary_in_queries": plain[:, 0].mean() if len(plain) else None,
        "ordinary_in_documents": plain[:, 1].mean() if len(plain) else None,
        "ordinary_tokens": _rows(ordinary[:ORDINARY], damage),
        "tokens": _rows(sticky[:MOST_RETRIEVAL], damage),
    }


def _rows(ids: Sequence[int], damage: Mapping[int, Sequence[float]]) -> list[dict[str, Any]]:
    return [{"token_id": i, "in_queries": damage[i][0], "in_documents": damage[i][1]} for i in ids]


def attention_of(
    encoder: TextEncoder,
    probe_set: ProbeSet,
    sticky: Sequence[int],
    ordinary: Sequence[int],
    copies: int,
    progress: Progress,
) -> dict[str, Any] | None:
    """Return the share of attention by layer of the worst sticky and of ordinary tokens, None if hidden."""
    sentences = list(dict.fromkeys(cell.sentence for cell in probe_set.cells))[:ATTENTION_TEXTS]
    texts = [probe_set.contents[i] for i in sentences]
    groups = {"sticky": list(sticky[:ATTENTION_TOKENS]), "ordinary": list(ordinary[:ATTENTION_TOKENS])}
    shares: dict[str, list[list[float]]] = {}
    with progress.stage("attention", sum(map(len, groups.values())), "tokens") as stage:
        for name, ids in groups.items():
            found = []
            for token_id in ids:
                share = attention_share(encoder, texts, token_id, copies)
                if share is None:
                    return None
                found.append(share.tolist())
                stage.advance()
            shares[name] = found
    # A share of what an even spread over positions would give needs the mean length of the texts.
    positions = float(np.mean([len(t) for t in texts])) + copies + len(encoder.before) + len(encoder.after)
    return {"even_share": copies / positions, "token_ids": groups, "shares": shares}


def scatter_of(
    encoder: TextEncoder, probe_set: ProbeSet, tokens: Sequence[tuple[str, int]]
) -> list[dict[str, Any]]:
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
        plots.append(
            {
                "kind": kind,
                "token_id": token_id,
                "before": np.round(before[mask][shown], 4),
                "after": np.round(after[mask][shown], 4),
            }
        )
    return plots
