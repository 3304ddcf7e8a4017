"""How long an audit and a comparison take, by stage, with peak memory.

    OMP_NUM_THREADS=2 python -m benchmarks.audit_speed TOKENIZER [OTHER] [--corpus FILE]

CPU seconds count all threads; on a machine with other work they say more than the clock.
"""

from __future__ import annotations

import argparse
import lzma
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from forensics.audit.applied_merges import apply_merges
from forensics.audit.integrity import integrity_findings
from forensics.audit.kinds import vocabulary_kinds
from forensics.audit.languages import audit_languages
from forensics.audit.numbers import cut_dates, cut_numbers
from forensics.audit.residues import find_residues
from forensics.audit.specials import special_token_findings
from forensics.comparison.fields import compare_added_tokens, compare_fields
from forensics.comparison.lineage import lineage
from forensics.comparison.merge_order import compare_merges
from forensics.comparison.vocabularies import compare_vocabularies
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.vocabulary import Vocabulary

T = TypeVar("T")
#: Bytes of the corpus for residues.
CORPUS_BYTES = 3_000_000


class Watch:
    """Times stages and prints them."""

    def __init__(self) -> None:
        self.cpu = self.clock = 0.0

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` returns, and print what it took."""
        clock, cpu = time.perf_counter(), time.process_time()
        result = work()
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        self.cpu, self.clock = self.cpu + cpu, self.clock + clock
        print(f"  {name:32} {clock:7.2f} s clock {cpu:7.2f} s CPU", flush=True)
        return result

    def total(self, name: str) -> None:
        """Print the sum so far, and the peak memory."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {name:32} {self.clock:7.2f} s clock {self.cpu:7.2f} s CPU, peak {peak:,.0f} MiB", flush=True
        )


def read(name: str, watch: Watch) -> tuple[TokenizerSource, Vocabulary]:
    """Open a tokenizer and build its vocabulary."""
    source = watch("reading the tokenizer", lambda: open_tokenizer(name))
    return source, watch("vocabulary and reachability", lambda: build_vocabulary(source))


def audit(name: str, corpus: Path | None) -> None:
    """Time the default audit, and residues on top of it."""
    watch = Watch()
    print(f"audit {name}")
    source, vocabulary = read(name, watch)
    parallel = watch("reading parallel text", read_parallel_text)
    watch("languages", lambda: audit_languages(source, vocabulary, parallel.lines))
    watch("kinds and scripts", lambda: vocabulary_kinds(source, vocabulary))
    watch("integrity", lambda: integrity_findings(source, vocabulary))
    watch("special tokens", lambda: special_token_findings(source, vocabulary))
    watch("numbers and dates", lambda: (cut_numbers(source.encoder), cut_dates(source.encoder)))
    watch.total("default audit")
    if corpus is not None and source.merges:
        with lzma.open(corpus) if corpus.suffix == ".xz" else corpus.open("rb") as stream:
            text = stream.read(CORPUS_BYTES).decode("utf-8", "ignore")
        words = watch("pre-tokens of the corpus", lambda: pretokens(source, text))
        applied = watch("applying merges", lambda: apply_merges(source, words))
        watch("residues", lambda: find_residues(source.merges, applied))
        watch.total("with residues")


def pretokens(source: TokenizerSource, text: str) -> Counter[str]:
    """Return the pre-tokens of a text, line by line."""
    counts: Counter[str] = Counter()
    normalizer, pre_tokenizer = source.encoder.normalizer, source.encoder.pre_tokenizer
    for line in text.splitlines(keepends=True):
        normalized = normalizer.normalize_str(line) if normalizer else line
        counts.update(word for word, _ in pre_tokenizer.pre_tokenize_str(normalized))
    return counts


def compare(name: str, other: str) -> None:
    """Time the comparison of two tokenizers, reading them included."""
    watch = Watch()
    print(f"compare {name} {other}")
    one, two = read(name, watch), read(other, watch)
    pieces = watch("vocabularies", lambda: compare_vocabularies(one, two))
    merges = watch("merge order", lambda: compare_merges(one, two))
    watch("fields", lambda: (compare_fields(one[0], two[0]), compare_added_tokens(one[0], two[0])))
    watch.total("comparison")
    print(" ", lineage(one[0].name, two[0].name, pieces, merges).sentence)


def main() -> None:
    """Time an audit and, with two tokenizers, a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    audit(arguments.tokenizer, arguments.corpus)
    if arguments.other:
        compare(arguments.tokenizer, arguments.other)


if __name__ == "__main__":
    main()
