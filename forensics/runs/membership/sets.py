"""Texts against controls, or where there are none beside embedded text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.exposure.blind import FOLDS, blind_scores
from forensics.exposure.comparison import auroc, auroc_interval, permutation_p
from forensics.exposure.text_scores import text_scores, token_frequencies
from forensics.progress import Progress
from forensics.runs.membership.model import AskedModel
from forensics.schema.membership import SCORES, BlindSets, MembershipOptions, ScoreEntry, SetsSummary
from forensics.sources.texts.corpora import read_corpus
from forensics.sources.texts.natural_text import natural_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BLIND_LIMIT", "compare_sets", "embedded_frequencies", "score_texts"]

#: The lower limit of the blind judge's area above which no conclusion is drawn.
BLIND_LIMIT = 0.6
#: Characters of a text that the table shows.
_SHOWN = 120
#: Texts cut from embedded text where there are no controls, and bytes of each category for frequencies.
_EMBEDDED, _FREQUENCY_BYTES = 64, 64 * 1024

Scored = dict[str, npt.NDArray[np.float64]]


def compare_sets(
    asked: AskedModel,
    texts: Sequence[str],
    controls: Sequence[str],
    options: MembershipOptions,
    rng: np.random.Generator,
) -> tuple[SetsSummary, pd.DataFrame]:
    """Return the scores of both sets and what follows, and a table of the texts.

    :param asked: The model.
    :param texts: The texts in question.
    :param controls: Texts that it cannot have seen; empty: the texts are ranked among embedded text.
    :param options: Draws and lengths.
    :param rng: The run's generator.
    :raises BadInputError: If a set is too small.
    """
    for name, given in (("texts", texts), ("controls", controls)):
        if 0 < len(given) < FOLDS or not texts:
            raise BadInputError(name, f"{len(given)} texts", f"give at least {FOLDS}")
    blind, judged = None, None
    if controls:
        with asked.progress.stage("blind classifier"):
            judged = blind_scores(texts, controls, rng)
            blind = _blind(*judged, rng, options.bootstrap)
    others = list(controls) or _embedded(texts)
    frequencies = embedded_frequencies(asked)
    one = score_texts(asked, texts, frequencies, options, asked.progress, "texts")
    other = score_texts(
        asked, others, frequencies, options, asked.progress, "controls" if controls else "embedded"
    )
    entries = tuple(
        _entry(name, one[name], other[name] if controls else None, blind, rng, options) for name in SCORES
    )
    smallest = min((each.p for each in entries if each.p is not None), default=None)
    summary = SetsSummary(
        texts=len(texts),
        controls=len(controls),
        tokens=int(one["tokens"].sum() + other["tokens"].sum()),
        scores=entries,
        blind=blind,
        p_corrected=None if smallest is None else min(1.0, smallest * len(entries)),
        embedded=0 if controls else len(others),
    )
    table = _table(texts, one, "texts", None if judged is None else judged[0])
    second = _table(
        others, other, "controls" if controls else "embedded", None if judged is None else judged[1]
    )
    if not controls:
        table["percentile"] = np.mean(
            [np.searchsorted(np.sort(other[name]), one[name]) / len(others) for name in SCORES], axis=0
        )
    import pandas as pd

    return summary, pd.concat([table, second], ignore_index=True)


def _blind(
    texts: npt.NDArray[np.float64], controls: npt.NDArray[np.float64], rng: np.random.Generator, draws: int
) -> BlindSets:
    interval = auroc_interval(texts, controls, rng, draws)
    return BlindSets(auroc(texts, controls), interval, BLIND_LIMIT, separates=interval[0] > BLIND_LIMIT)


def _entry(
    name: str,
    texts: npt.NDArray[np.float64],
    controls: npt.NDArray[np.float64] | None,
    blind: BlindSets | None,
    rng: np.random.Generator,
    options: MembershipOptions,
) -> ScoreEntry:
    """Return one score over both sets; no p where the sets differ without the model."""
    if controls is None:
        return ScoreEntry(name, SCORES[name], float(texts.mean()), None, None, None, None)
    concludes = blind is not None and not blind.separates
    return ScoreEntry(
        name=name,
        meaning=SCORES[name],
        mean_texts=float(texts.mean()),
        mean_controls=float(controls.mean()),
        auroc=auroc(texts, controls),
        interval=auroc_interval(texts, controls, rng, options.bootstrap),
        p=permutation_p(texts, controls, rng, options.permutations) if concludes else None,
    )


def score_texts(
    asked: AskedModel,
    texts: Sequence[str],
    frequencies: npt.NDArray[np.float64],
    options: MembershipOptions,
    progress: Progress,
    name: str,
) -> Scored:
    """Return score -> its value for every text, and `tokens`, how many were scored.

    :param asked: The model.
    :param texts: The texts.
    :param frequencies: Of every token, see `token_frequencies`.
    :param options: How much of a text is read.
    :param progress: Where to report.
    :param name: What the texts are called.
    :raises BadInputError: If a text is a single token, before which nothing stands.
    """
    from forensics.sources.runtimes.token_scores import score_tokens

    model, window = asked.model, asked.window
    most = options.max_tokens if window is None else min(options.max_tokens, window)
    found: list[dict[str, float]] = []
    with progress.stage(f"scores: {name}", len(texts), "texts") as stage:
        for number, text in enumerate(texts):
            whole = asked.encode(text)
            ids = whole[:most]
            if len(ids) + len(asked.start) < 2:
                raise BadInputError(name, f"text {number + 1:,} is a single token", "leave it out")
            # What was cut off is not in the bytes that zlib is given either.
            read = text if len(whole) <= most else _beginning(asked, text, most)
            said = score_tokens(model, ids.tolist(), asked.start)
            scores = text_scores(read, said.ids, said.log_p, said.mean, said.variance, frequencies)
            found.append({**scores, "tokens": len(said.ids)})
            stage.advance()
    return {key: np.array([each[key] for each in found]) for key in (*SCORES, "tokens")}


def _beginning(asked: AskedModel, text: str, tokens: int) -> str:
    """Return the part of a text that its first tokens stand for."""
    offsets = asked.source.encoder.encode(text, add_special_tokens=False).offsets
    return text[: offsets[tokens - 1][1]]


def embedded_frequencies(asked: AskedModel) -> npt.NDArray[np.float64]:
    """Return how frequent every token is in embedded text."""
    counts = np.zeros(asked.rows, dtype=np.int64)
    with asked.progress.stage("token frequencies"):
        for corpus in natural_text():
            for text in read_corpus(corpus, _FREQUENCY_BYTES):
                counts += np.bincount(asked.encode(text), minlength=asked.rows)
    return token_frequencies(counts)


def _embedded(texts: Sequence[str]) -> list[str]:
    """Return pieces of embedded text about as long as the texts, a like number of each category."""
    length = max(16, int(np.median([len(text) for text in texts])))
    corpora = natural_text()
    each = -(-_EMBEDDED // len(corpora))
    found = []
    for corpus in corpora:
        whole = "".join(read_corpus(corpus, 8 * length * each))
        found += [whole[at * length : (at + 1) * length] for at in range(each)]
    return [text for text in found if text.strip()]


def _table(
    texts: Sequence[str], scored: Scored, name: str, blind: npt.NDArray[np.float64] | None
) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        "set": name,
        "index": np.arange(len(texts)),
        "beginning": [text[:_SHOWN] for text in texts],
        "tokens": scored["tokens"].astype(np.int64),
        **{score: scored[score] for score in SCORES},
    }
    if blind is not None:
        columns["blind"] = blind
    return pd.DataFrame(columns)
