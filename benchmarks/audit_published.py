"""Published figures of other tools against ours, on the text that they name, with the gaps.

    python -m benchmarks.audit_published --tokenizers DIR --flores DIR

`--tokenizers` holds one folder per tokenizer (`gpt2`, `qwen3`, `gpt_neox_20b`, `bert_base_uncased`, ...),
`--flores` the folders `dev` and `devtest` with one file per language. What is not there is skipped and said.
The published values are copied from the files named beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.auditing.distributions import divergence, renyi_efficiency
from forensics.auditing.encoded_text import sequence_lengths
from forensics.auditing.integrity import unreachable_reasons
from forensics.auditing.languages import audit_languages
from forensics.auditing.premium import mean_of_ratios
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.vocabulary import Vocabulary

#: AleksandarPetrov/tokenization-fairness, assets/tokenization_lengths.csv, column GPT-2: tokens of all 2,009
#: lines joined to one string. Every language of ours whose row was at hand.
PETROV_GPT2 = {
    "ace_Arab": 251497,
    "ace_Latn": 113531,
    "afr_Latn": 101771,
    "aka_Latn": 147060,
    "als_Latn": 139180,
    "amh_Ethi": 409343,
    "arb_Arab": 231316,
    "asm_Beng": 514374,
    "bel_Cyrl": 344748,
    "ben_Beng": 507509,
    "bod_Tibt": 784601,
    "bul_Cyrl": 289393,
    "cat_Latn": 100917,
    "ces_Latn": 137859,
    "deu_Latn": 112600,
    "dzo_Tibt": 860070,
    "ell_Grek": 343953,
    "eng_Latn": 52567,
    "fin_Latn": 119621,
    "fra_Latn": 104971,
    "guj_Gujr": 644828,
    "hau_Latn": 112972,
    "heb_Hebr": 231019,
    "hin_Deva": 392092,
    "hun_Latn": 139602,
    "hye_Armn": 526451,
    "ind_Latn": 104006,
    "ita_Latn": 105594,
    "jpn_Jpan": 157858,
}
#: r-three/TokSuite, results/intrinsic_metrics/parity.csv: mean of the lines' ratios on dev.
TOKSUITE_PARITY = {
    "gpt2": {"zho_Hans": 3.211, "tur_Latn": 2.447, "pes_Arab": 5.352, "ita_Latn": 2.017},
    "qwen3": {"zho_Hans": 1.017, "tur_Latn": 1.633, "pes_Arab": 2.634, "ita_Latn": 1.64},
}
_TOKEVAL_LANGUAGES = [
    *("arb_Arab", "zho_Hans", "deu_Latn", "eng_Latn", "fra_Latn", "hin_Deva", "ind_Latn"),
    *("jpn_Jpan", "kor_Hang", "por_Latn", "rus_Cyrl", "spa_Latn", "tur_Latn"),
]
#: cimeister/tokenizer-analysis-suite, benchmarks/open_source/REPORT.md (1.0.0): bytes per token on the first
#: 250 lines of FLORES+ dev, two decimals. Qwen 2.5 has Qwen3's pieces and merges.
TOKEVAL_BYTES_PER_TOKEN = {
    "bert_base_uncased": [2.23, 3.01, 3.02, 4.78, 3.35, 4.40, 2.82, 3.10, 1.82, 3.07, 2.21, 3.22, 2.60],
    "gpt_neox_20b": [2.58, 2.09, 3.18, 4.73, 3.38, 2.59, 2.80, 2.81, 1.61, 3.27, 3.58, 3.40, 2.50],
    "gpt2": [1.78, 1.42, 2.75, 4.81, 3.02, 1.69, 2.71, 2.12, 1.17, 2.88, 1.71, 3.00, 2.29],
    "qwen3": [4.57, 4.09, 3.62, 4.63, 3.66, 2.76, 3.31, 4.17, 3.35, 3.62, 5.18, 3.75, 3.29],
}
#: ChenkaiHong/glotscope, results/leaderboard.md (0.1.0): worst premium of 15 languages of FLORES+ devtest.
GLOTSCOPE_WORST = {"gpt2": 18.689, "qwen3": 10.432}
#: README and lint of the same: pieces that are no valid UTF-8 by themselves.
UNDECODABLE = {"gpt2": 344, "qwen3": 1448}
#: Premiums on all 2,009 lines by a second implementation (no publication): GPT-2 and Qwen3.
SECOND_PREMIUM = {
    "gpt2": {
        "deu_Latn": 2.140,
        "tur_Latn": 2.429,
        "rus_Cyrl": 5.716,
        "arb_Arab": 4.364,
        "hin_Deva": 7.428,
        "tha_Thai": 8.974,
        "jpn_Jpan": 2.965,
        "zho_Hans": 3.173,
        "kor_Hang": 5.037,
        "amh_Ethi": 7.755,
        "shn_Mymr": 18.682,
        "sat_Olck": 12.805,
    },
    "qwen3": {
        "deu_Latn": 1.554,
        "tur_Latn": 1.618,
        "rus_Cyrl": 1.764,
        "arb_Arab": 1.629,
        "hin_Deva": 4.430,
        "tha_Thai": 2.556,
        "jpn_Jpan": 1.404,
        "zho_Hans": 1.014,
        "kor_Hang": 1.635,
        "amh_Ethi": 4.077,
        "shn_Mymr": 10.434,
        "sat_Olck": 8.928,
    },
    "mistral_7b_v0_1": {
        "deu_Latn": 1.578,
        "tur_Latn": 2.209,
        "rus_Cyrl": 1.872,
        "arb_Arab": 3.477,
        "hin_Deva": 4.567,
        "tha_Thai": 4.227,
        "jpn_Jpan": 2.145,
        "zho_Hans": 1.624,
        "kor_Hang": 2.459,
        "amh_Ethi": 6.495,
        "shn_Mymr": 12.279,
        "sat_Olck": 12.349,
    },
}


@dataclass(frozen=True)
class Line:
    """One source compared on one tokenizer."""

    source: str
    tokenizer: str
    #: Figures compared, and the largest absolute difference.
    figures: int
    gap: float


class Bench:
    """The tokenizers and texts at hand."""

    def __init__(self, tokenizers: Path, flores: Path) -> None:
        self.tokenizers, self.flores = tokenizers, flores
        self._opened: dict[str, tuple[TokenizerSource, Vocabulary]] = {}

    def open(self, name: str) -> tuple[TokenizerSource, Vocabulary]:
        """Return a tokenizer and its vocabulary."""
        if name not in self._opened:
            source = open_tokenizer(self.tokenizers / name)
            self._opened[name] = (source, build_vocabulary(source))
        return self._opened[name]

    def text(self, languages: list[str], *parts: str) -> dict[str, tuple[str, ...]]:
        """Return language -> lines of `dev`, `devtest` or both."""
        read = [read_parallel_text(self.flores / part, sorted(languages)).lines for part in parts]
        return {name: tuple(line for part in read for line in part[name]) for name in sorted(languages)}

    def has(self, name: str) -> bool:
        """Return whether a tokenizer is at hand."""
        return (self.tokenizers / name).is_dir()


def petrov(bench: Bench) -> Iterator[Line]:
    """Petrov et al. 2023, lines joined by spaces: each part of FLORES-200 became one line of theirs."""
    parts = [bench.text(list(PETROV_GPT2), part) for part in ("dev", "devtest")]
    texts = ["".join(" ".join(part[name]) + "\n" for part in parts) for name in sorted(PETROV_GPT2)]
    counts = sequence_lengths(bench.open("gpt2")[0].encoder, texts).tolist()
    gap = max(abs(count - PETROV_GPT2[name]) for name, count in zip(sorted(PETROV_GPT2), counts, strict=True))
    yield Line("tokenization-fairness, tokens of joined text", "gpt2", len(texts), gap)


def toksuite(bench: Bench) -> Iterator[Line]:
    """TokSuite, line by line."""
    for name, published in TOKSUITE_PARITY.items():
        text = bench.text([*published, "eng_Latn"], "dev")
        encoder = bench.open(name)[0].encoder
        lengths = {language: sequence_lengths(encoder, lines) for language, lines in text.items()}
        gaps = [
            abs(mean_of_ratios(lengths[language], lengths["eng_Latn"]).value - value)
            for language, value in published.items()
        ]
        yield Line("TokSuite parity.csv, mean of ratios, dev", name, len(gaps), max(gaps))


def tokeval(bench: Bench) -> Iterator[Line]:
    """TokEval, the first 250 lines of dev; FLORES+ is a revision of FLORES-200."""
    text = {name: lines[:250] for name, lines in bench.text(_TOKEVAL_LANGUAGES, "dev").items()}
    for name, published in TOKEVAL_BYTES_PER_TOKEN.items():
        if bench.has(name):
            found = {one.language: one for one in audit_languages(*bench.open(name), text).languages}
            gaps = [
                abs(found[language].bytes_per_token - value)
                for language, value in zip(_TOKEVAL_LANGUAGES, published, strict=True)
            ]
            yield Line("TokEval REPORT.md, bytes per token, 250 lines", name, len(gaps), max(gaps))


def glotscope(bench: Bench) -> Iterator[Line]:
    """Glotscope, devtest of FLORES+, and its count of undecodable pieces."""
    text = bench.text(["shn_Mymr", "sat_Olck", "amh_Ethi", "eng_Latn"], "devtest")
    for name, published in GLOTSCOPE_WORST.items():
        quality = audit_languages(*bench.open(name), text)
        yield Line(
            "glotscope leaderboard, worst premium",
            name,
            1,
            abs(quality.languages[0].premium.value - published),
        )
    for name, count in UNDECODABLE.items():
        vocabulary = bench.open(name)[1]
        yield Line(
            "glotscope, undecodable pieces",
            name,
            1,
            abs(int((vocabulary.category == "undecodable").sum()) - count),
        )


def second_implementation(bench: Bench) -> Iterator[Line]:
    """Figures of a second implementation, published nowhere."""
    for name, expected in SECOND_PREMIUM.items():
        text = bench.text([*expected, "eng_Latn"], "dev", "devtest")
        found = {one.language: one for one in audit_languages(*bench.open(name), text).languages}
        gap = max(abs(found[language].premium.value - value) for language, value in expected.items())
        yield Line("second implementation, premiums, 2,009 lines", name, len(expected), gap)
    text = bench.text(
        ["deu_Latn", "eng_Latn", "jpn_Jpan", "shn_Mymr", "spa_Latn", "por_Latn"], "dev", "devtest"
    )
    source, vocabulary = bench.open("gpt2")
    quality = {one.language: one for one in audit_languages(source, vocabulary, text).languages}
    for language, (low, high) in {"deu_Latn": (2.122, 2.159), "shn_Mymr": (18.47, 18.89)}.items():
        interval = quality[language].premium.interval or (np.nan, np.nan)
        width = (high - low) / 2
        gap = max(abs(interval[0] - low), abs(interval[1] - high)) / width
        yield Line(f"interval of {language}, gap in half widths", "gpt2", 2, gap)
    english, german = quality["eng_Latn"], quality["deu_Latn"]
    efficiency = renyi_efficiency(english.counts, len(vocabulary))
    assert efficiency is not None
    gap = max(abs(efficiency.of_types_seen - 0.4655), abs(efficiency.of_declared_size - 0.3975))
    yield Line("Renyi 2.5 of English, both denominators", "gpt2", 2, gap)
    pairs = [(english, german, 0.7197), (quality["spa_Latn"], quality["por_Latn"], 0.2508)]
    gap = max(abs(divergence(a.ids, a.counts, b.ids, b.counts) - value) for a, b, value in pairs)
    yield Line("Jensen-Shannon divergence of two pairs", "gpt2", 2, gap)
    words = english.words
    assert words is not None
    yield Line(
        "fertility with leading space, STRR",
        "gpt2",
        2,
        max(abs(words.fertility - 1.227), abs(words.single_token - 0.833)),
    )
    for name, count in {"qwen3": 1909, "gpt_neox_20b": 221}.items():
        if bench.has(name):
            yield Line(
                "unreachable pieces", name, 1, abs(len(unreachable_reasons(*bench.open(name))) - count)
            )


def main() -> None:
    """Print every comparison with its gap."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--flores", type=Path, required=True)
    arguments = parser.parse_args()
    bench = Bench(arguments.tokenizers, arguments.flores)
    print(f"{'source':52} {'tokenizer':20} {'figures':>7} {'largest gap':>12}")
    for part in (petrov, toksuite, tokeval, glotscope, second_implementation):
        for line in part(bench):
            print(f"{line.source:52} {line.tokenizer:20} {line.figures:7} {line.gap:12.5f}", flush=True)


if __name__ == "__main__":
    main()
