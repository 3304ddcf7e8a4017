"""Five scores by which texts that a model was trained on are said to stand out; higher means more like one.

| score | after |
|---|---|
| `loss` | mean log-probability of a token (Yeom et al. 2018) |
| `zlib` | that over the bytes of the text packed by zlib (Carlini et al. 2021) |
| `min_k` | mean of the lowest fifth of the log-probabilities (Min-K%, arXiv 2310.16789) |
| `min_k_plus` | the same of (log p - mean) / standard deviation over the vocabulary (arXiv 2404.02936) |
| `dc_pdd` | mean over first occurrences of min(p log(1 / f), 0.01) (DC-PDD, arXiv 2409.14781) |

The first token has no score unless the model begins texts with a token of its own. Of fewer than five tokens
a fifth is none, where the published code divides by zero; the lowest one counts here. DC-PDD's published code
does not run, so this is its formula: f is (count + 1) / (N + V) in a reference text.

None of these is evidence by itself. They see the style of a text at least as well as whether it was seen,
which is why they are given beside a judge that never saw the model (`forensics.exposure.blind`).
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

__all__ = ["CAP", "LOWEST", "text_scores", "token_frequencies"]

Float64Array = npt.NDArray[np.float64]

#: Share of the log-probabilities that Min-K% takes, and the cap of DC-PDD.
LOWEST, CAP = 0.2, 0.01


def token_frequencies(counts: npt.NDArray[np.int64]) -> Float64Array:
    """Return the smoothed frequency of every token, shape (V,).

    :param counts: How often each occurs in a reference text, shape (V,).
    """
    return np.asarray((counts + 1) / (counts.sum() + len(counts)), dtype=np.float64)


def text_scores(
    text: str,
    ids: npt.NDArray[np.int64],
    log_p: Float64Array,
    mean: Float64Array,
    variance: Float64Array,
    frequencies: Float64Array,
) -> dict[str, float]:
    """Return the five scores of one text.

    :param text: What the tokens were made of, for zlib.
    :param ids: The tokens that were scored, shape (n,), n at least 1.
    :param log_p: Log-probability of each in its place, shape (n,).
    :param mean: Mean of log p over the vocabulary in each place, weighted with p, shape (n,).
    :param variance: Its variance, shape (n,).
    :param frequencies: See `token_frequencies`.
    """
    spread = np.sqrt(np.maximum(variance, 0))
    # Where the model is certain there is no spread, and the certain token is as expected.
    standard = np.divide(log_p - mean, spread, out=np.zeros_like(log_p), where=spread > 0)
    _, first = np.unique(ids, return_index=True)
    surprise = np.exp(log_p[first]) * -np.log(frequencies[ids[first]])
    return {
        "loss": float(log_p.mean()),
        "zlib": float(log_p.mean() / len(zlib.compress(text.encode("utf-8", "replace")))),
        "min_k": _lowest(log_p),
        "min_k_plus": _lowest(standard),
        "dc_pdd": float(np.minimum(surprise, CAP).mean()),
    }


def _lowest(values: Float64Array) -> float:
    """Return the mean of the lowest fifth, at least of one."""
    count = max(1, int(LOWEST * len(values)))
    return float(np.partition(values, count - 1)[:count].mean())
