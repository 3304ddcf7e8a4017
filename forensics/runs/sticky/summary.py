"""What the summary of `sticky` says whatever the method."""

from __future__ import annotations

from forensics.schema.sticky import PoolingSummary, StickyOptions, StickySummary, StickyTokenizer
from forensics.sources.runtimes.text_encoder import TextEncoder

__all__ = ["shared_summary"]


def shared_summary(
    encoder: TextEncoder, options: StickyOptions, u: float, sample: int | None
) -> StickySummary:
    """Return the summary before the method has filled in its part.

    :param u: Mean similarity of the vocabulary's entries.
    :param sample: Random entries that it was estimated from; None: all.
    """
    source = encoder.source
    return StickySummary(
        kind="sticky",
        model=encoder.name,
        method=options.method,
        pooling=PoolingSummary(str(encoder.layout.pooling), encoder.layout.pooling_origin),
        tokenizer=StickyTokenizer(str(source.model), len(source.pieces)),
        backend=encoder.backend,
        insertions=options.insertions,
        asked_for=None if options.tokens is None else len(options.tokens),
        mean_token_similarity=u,
        mean_token_similarity_sample=sample,
        available=0,
        shortlisted=None,
        sticky=None,
        notes=(),
        seconds={},
        peak_rss_bytes=0,
    )
