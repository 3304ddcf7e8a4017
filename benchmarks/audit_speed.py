"""How long an audit and a comparison take, by stage, with peak memory; and whole commands beside peers.

    OMP_NUM_THREADS=2 python -m benchmarks.audit_speed TOKENIZER [OTHER]
        [--peer glotscope=PYTHON] [--peer qtok=PYTHON] [--repeats N]

TOKENIZER is a `tokenizer.json`. Each peer is given by the interpreter of an environment that has it, so that
nothing of it comes near ours. CPU seconds count all threads; on a machine with other work they say more than
the clock.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.audit_peers import PEERS, beside_peers
from forensics.auditing.integrity import integrity_findings
from forensics.auditing.kinds import vocabulary_kinds
from forensics.auditing.languages import audit_languages
from forensics.auditing.numbers import cut_dates, cut_numbers
from forensics.auditing.specials import special_token_findings
from forensics.comparison.fields import compare_added_tokens, compare_fields
from forensics.comparison.lineage import lineage
from forensics.comparison.merge_order import compare_merges
from forensics.comparison.spelt import SpeltPieces, spell
from forensics.comparison.vocabularies import compare_vocabularies
from forensics.progress import Progress
from forensics.runs.audit.residue_text import residues_of
from forensics.runs.compare.lengths import compare_lengths, tokens_per_line
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.texts.corpora import DEMO, find_corpora
from forensics.sources.texts.parallel_text import read_parallel_text
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.merge_list import read_merge_list
from forensics.vocabulary.merges import merge_problems
from forensics.vocabulary.vocabulary import Vocabulary

T = TypeVar("T")


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


def spelt(name: str, watch: Watch) -> tuple[TokenizerSource, SpeltPieces]:
    """Open a tokenizer and spell its pieces, which is all that a comparison needs."""
    source = watch("reading the tokenizer", lambda: open_tokenizer(name))
    return source, watch("spelling its pieces", lambda: spell(source))


def audit(name: str) -> None:
    """Time the default audit, and residues on top of it."""
    watch = Watch()
    print(f"audit {name}")
    source, vocabulary = read(name, watch)
    parallel = watch("reading parallel text", read_parallel_text)
    watch("languages", lambda: audit_languages(source, vocabulary, parallel.lines))
    watch("kinds and scripts", lambda: vocabulary_kinds(source, vocabulary))
    merges = watch("reading the merges", lambda: read_merge_list(source))
    problems = watch("merge oddities", lambda: merge_problems(source, vocabulary, merges))
    watch("integrity", lambda: integrity_findings(source, vocabulary, problems))
    watch("special tokens", lambda: special_token_findings(source, vocabulary))
    watch("numbers and dates", lambda: (cut_numbers(source.encoder), cut_dates(source.encoder)))
    watch.total("default audit")
    if source.model is TokenizerModel.BPE:
        corpora = find_corpora((DEMO,))
        watch("residues", lambda: residues_of(source, merges, corpora, Progress()))
        watch.total("with residues")


def compare(name: str, other: str) -> None:
    """Time the comparison of two tokenizers, reading them included."""
    watch = Watch()
    print(f"compare {name} {other}")
    one, two = spelt(name, watch), spelt(other, watch)
    pieces = watch("vocabularies", lambda: compare_vocabularies(one, two))
    merges = watch("merge order", lambda: compare_merges(one, two))
    watch("fields", lambda: (compare_fields(one[0], two[0]), compare_added_tokens(one[0], two[0])))
    text = read_parallel_text()
    watch("lengths", lambda: compare_lengths(tokens_per_line(*one, text), tokens_per_line(*two, text)))
    watch.total("comparison")
    print(" ", lineage(one[0].name, two[0].name, pieces, merges).sentence)


def main() -> None:
    """Time an audit and, with two tokenizers, a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    pythons = dict(each.partition("=")[::2] for each in arguments.peer)
    if unknown := pythons.keys() - PEERS.keys():
        parser.error(f"unknown peers {', '.join(sorted(unknown))}; known: {', '.join(PEERS)}")
    audit(arguments.tokenizer)
    if arguments.other:
        compare(arguments.tokenizer, arguments.other)
    beside_peers(Path(arguments.tokenizer), pythons, arguments.repeats)


if __name__ == "__main__":
    main()
