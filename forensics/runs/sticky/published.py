"""`sticky --method std` as a run: pairs in, table columns and summary out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.progress import Progress
from forensics.runs.sticky.inputs import StickyOptions, sentence_sets
from forensics.runs.sticky.kept_results import Memory
from forensics.sources.runtimes.text_encoder import TextEncoder
from forensics.sources.texts.sentences import read_pairs
from forensics.sticky.find_as_published import PublishedPlan, PublishedResult, find_as_published
from forensics.sticky.pairs import SentencePair, pairs_of_sentences, remark_on_cut_texts, select_pairs
from forensics.sticky.published_scorer import PairBench
from forensics.sticky.published_texts import SEED
from forensics.sticky.retokenization import share_kept

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pair_benches", "published_columns", "published_summary", "run_published", "weaknesses"]

#: Random tokens of which it is seen whether they survive being inserted as a string: a share of 14 % then has
#: a standard error of 2 points, and the texts need tokenizing only.
RETOKENIZED = 256
#: A stated similarity that is this far from the model's is told of.
WRONG_BY = 0.01


def pair_benches(
    encoder: TextEncoder, options: StickyOptions, u: float
) -> tuple[PairBench, PairBench, tuple[str, ...]]:
    """Return the pairs for the score, those for the validation, and remarks.

    :raises BadInputError: If too few pairs lie below `u`.
    """
    counts = (options.pairs_score, options.pairs_validate)
    if options.pairs is not None:
        where = options.pairs
        pairs = _pairs_of_file(encoder, Path(where))
        chosen = [select_pairs(pairs, u, count, where) for count in counts]
    else:
        where, sentences = sentence_sets(options)[0]
        chosen = [pairs_of_sentences(encoder, sentences, u, count, where) for count in counts]
    scoring, validating = (PairBench.of(encoder, each) for each in chosen)
    used = list(dict.fromkeys([*scoring.pairs, *validating.pairs]))
    name = where if options.pairs is None else Path(where).name
    remarks = [] if options.pairs is None else [_remark_on_similarities([scoring, validating], name)]
    remarks.append(remark_on_cut_texts(encoder, used, options.insertions, name))
    return scoring, validating, tuple(remark for remark in remarks if remark is not None)


def _pairs_of_file(encoder: TextEncoder, path: Path) -> list[SentencePair]:
    """Return the file's pairs; similarities it leaves open are measured."""
    rows = read_pairs(path)
    unmeasured = [(a, b) for a, b, given in rows if given is None]
    first, second = (
        encoder.embed(encoder.tokenize(texts)).astype(np.float64)
        for texts in ([a for a, _ in unmeasured], [b for _, b in unmeasured])
    )
    measured = iter((first * second).sum(axis=1).tolist())
    return [SentencePair(a, b, next(measured) if given is None else given) for a, b, given in rows]


def _remark_on_similarities(benches: Sequence[PairBench], where: str) -> str | None:
    """Return how many similarities of the pairs used are not this model's, None if all are."""
    measured = {
        pair: 1 - float(start)
        for bench in benches
        for pair, start in zip(bench.pairs, bench.start, strict=True)
    }
    off = sum(abs(pair.similarity - value) > WRONG_BY for pair, value in measured.items())
    if not off:
        return None
    return (
        f"{where}: the similarities of {off} of the {len(measured)} pairs used differ from this model's "
        f"cosine by more than {WRONG_BY}; the pairs were chosen by the file's values."
    )


def run_published(
    benches: tuple[PairBench, PairBench],
    available: Mapping[int, str],
    options: StickyOptions,
    memory: Memory,
    progress: Progress,
) -> PublishedResult:
    """Score, shortlist and validate, with an interrupted run's results taken up."""
    plan = PublishedPlan(
        available=available,
        requested=options.tokens,
        copies=options.insertions,
        shortlist=options.shortlist,
        early_stop=options.early_stop,
    )
    return find_as_published(*benches, plan, recall=memory.recall, keep=memory.keep, progress=progress)


def published_columns(result: PublishedResult, size: int) -> pd.DataFrame:
    """Return the columns of the method, one row per id below `size`.

    Of a run on some tokens there is no verdict: shortlist and fence are shares of the whole vocabulary.
    """
    import pandas as pd

    known = {i: score for i, score in result.scores.items() if score is not None}
    table = pd.DataFrame(index=range(size))
    table["sticky_score"] = pd.Series(known, dtype=np.float64)
    ranked = sorted(known, key=lambda i: (-known[i], i))
    table["rank"] = pd.Series({i: rank for rank, i in enumerate(ranked, 1)}, dtype="Int32")
    if result.threshold is not None:
        table["shortlisted"] = [i in result.validation for i in range(size)]
    table["validation"] = pd.Series(result.validation, dtype=np.float64)
    if result.fence is not None:
        table["sticky"] = [i in result.sticky for i in range(size)]
    return table


def published_summary(
    result: PublishedResult,
    benches: tuple[PairBench, PairBench],
    available: Mapping[int, str],
    options: StickyOptions,
) -> dict[str, Any]:
    """Return the method's part of `summary.json`."""
    from scipy import stats

    values = [(result.scores[i], v) for i, v in result.validation.items() if result.scores[i] is not None]
    rank = stats.spearmanr(*zip(*values, strict=True)).statistic if len(values) > 2 else None
    judged = result.fence is not None and len(result.validation) > 0
    return {
        "shortlisted": len(result.validation) if result.threshold is not None else None,
        "sticky": len(result.sticky) if result.fence is not None else None,
        "score_threshold": result.threshold,
        "validation_fence": result.fence,
        "stopped_early": sum(score is None for score in result.scores.values()),
        "score_validation_spearman": None if rank is None or np.isnan(rank) else float(rank),
        "share_beyond_fence": len(result.sticky) / len(result.validation) if judged else None,
        "kept_as_inserted": _kept_as_inserted(result, benches[0], available, options.insertions),
        "pairs": [
            {"count": len(b.pairs), "least": min(p.similarity for p in b.pairs),
             "most": max(p.similarity for p in b.pairs)} for b in benches
        ],
    }  # fmt: skip


def _kept_as_inserted(
    result: PublishedResult, bench: PairBench, available: Mapping[int, str], copies: int
) -> dict[str, dict[str, float]]:
    """Return the shares of texts that hold a token as often as it was inserted, on the pairs of the score.

    For random tokens and for those that were validated.
    """
    rng = np.random.default_rng(SEED)
    sentences = [pair.sentence2 for pair in bench.pairs]
    shares = {}
    for name, ids in (("random", list(available)), ("validated", list(result.validation))):
        chosen = sorted(rng.permutation(np.array(ids, dtype=np.int64))[:RETOKENIZED].tolist())
        if chosen:
            kept = share_kept(bench.encoder, {i: available[i] for i in chosen}, sentences, copies)
            shares[name] = {"tokens": len(chosen), **{str(mode): share for mode, share in kept.items()}}
    return shares


def weaknesses(summary: Mapping[str, Any]) -> list[str]:
    """Return what the report says against this method, with the figures of this very run.

    :param summary: From `published_summary`.
    """
    kept, rank = summary["kept_as_inserted"], summary["score_validation_spearman"]
    shares = [
        f"{each['prefix']:.0%} of the prefix and {each['suffix']:.0%} of the suffix texts of "
        f"{each['tokens']} {name} tokens"
        for name, each in kept.items()
    ]
    # The divisor is rises + 0.05 * number of rises + 0.01.
    notes = [
        "A token is inserted as a string and the text is tokenized anew: measured on the pairs of the score, "
        f"{' and '.join(shares)} hold the token as often as it was inserted.",
        "The score of a cell is nearly a step function: by its formula a single rise in the distances, "
        "however small, makes the divisor six times as large (0.01 to 0.06).",
    ]
    if summary["share_beyond_fence"] is not None:
        notes.append(
            "The fence Q3 + 0.7 IQR is drawn from the shortlist itself; of values that are normal noise it "
            f"would cut off 5.3 %. In this run it cuts off {summary['share_beyond_fence']:.1%}."
        )
    if rank is not None:
        notes.append(
            "Score and validation value of the tokens validated in this run correlate with Spearman "
            f"{rank:.2f}."
        )
    return notes
