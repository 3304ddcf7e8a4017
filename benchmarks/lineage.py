"""The lineage of released tokenizers: known truths against what is said, and every other pair.

    python -m benchmarks.lineage DIR

DIR holds one folder per tokenizer. Pairs whose files are not there are left out and said.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

from forensics.comparison.lineage import lineage
from forensics.comparison.merge_order import compare_merges
from forensics.comparison.vocabularies import compare_vocabularies
from forensics.schema.compare import Relation
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.vocabulary import Vocabulary

#: (A, B) -> pieces shared, merges shared, share in common order, by a second implementation.
TRUTHS: dict[tuple[str, str], tuple[int, int, float, tuple[Relation, ...]]] = {
    ("cl100k", "llama3"): (100_256, 100_000, 1.0, (Relation.EXTENDED,)),
    ("cl100k", "qwen3"): (99_156, 98_900, 1.0, (Relation.COMMON_ANCESTOR,)),
    ("llama3", "qwen3"): (109_566, 108_749, 0.912, (Relation.RELATED,)),
    ("o200k", "gpt_oss"): (199_998, 199_742, 1.0, (Relation.IDENTICAL, Relation.EXTENDED)),
    ("qwen1", "qwen3"): (151_643, 151_387, 1.0, (Relation.IDENTICAL,)),
    ("gpt_neox_20b", "olmo_7b_instruct"): (50_252, 50_009, 1.0, (Relation.IDENTICAL,)),
    ("gpt_neox_20b", "mpt_7b"): (50_252, 50_009, 1.0, (Relation.IDENTICAL,)),
    ("llama2", "phi3_mini"): (31_901, 61_249, 1.0, (Relation.IDENTICAL, Relation.EXTENDED)),
    ("mistral_7b_v0_1", "zephyr"): (31_872, 58_980, 1.0, (Relation.IDENTICAL,)),
    ("mistral_7b_v0_1", "mixtral_8x22b_v0_3"): (31_872, 58_980, 1.0, (Relation.EXTENDED,)),
    ("llama2", "snowflake_arctic"): (31_899, 61_249, 0.998, (Relation.COMMON_ANCESTOR,)),
    ("deepseek_coder", "deepseek_llm"): (31_326, 31_039, 0.888, (Relation.RELATED,)),
    ("cl100k", "o200k"): (85_033, 75_215, 0.017, (Relation.NO_SIGN,)),
    ("deepseek_llm", "deepseek_v3"): (69_431, 62_183, 0.015, (Relation.NO_SIGN,)),
    ("gpt2", "gpt_neox_20b"): (36_937, 32_462, 0.025, (Relation.NO_SIGN,)),
    ("gpt2", "smollm2"): (36_960, 32_286, 0.022, (Relation.NO_SIGN,)),
    ("mistral_7b_v0_1", "llama2"): (24_085, 43_917, 0.032, (Relation.NO_SIGN,)),
    ("llama2", "yi"): (20_203, 38_260, 0.026, (Relation.NO_SIGN,)),
}


def main() -> None:
    """Print the truths that can be tried, then every pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    opened: dict[str, tuple[TokenizerSource, Vocabulary]] = {}
    for path in sorted(folder.iterdir()):
        source = open_tokenizer(path)
        opened[path.name] = (source, build_vocabulary(source))
    agreed = tried = 0
    for (a, b), (pieces, merges, share, relations) in TRUTHS.items():
        if a not in opened or b not in opened:
            print(f"not at hand: {a}, {b}")
            continue
        shared, order = compare_vocabularies(opened[a], opened[b]), compare_merges(opened[a], opened[b])
        assert order is not None and order.order_share is not None
        same = (
            len(shared.shared) == pieces
            and order.shared == merges
            and abs(order.order_share - share) < 0.0005
            and lineage(a, b, shared, order).relation in relations
        )
        agreed, tried = agreed + same, tried + 1
        print(f"{'agrees' if same else 'DIFFERS'}: {lineage(a, b, shared, order).sentence}")
    print(f"{agreed} of {tried} truths agree\n")
    for a, b in combinations(opened, 2):
        shared, order = compare_vocabularies(opened[a], opened[b]), compare_merges(opened[a], opened[b])
        print(lineage(a, b, shared, order).sentence, flush=True)


if __name__ == "__main__":
    main()
