"""What `sticky` is asked to do, checked, with the sentences and the tokens it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.errors import BadInputError
from forensics.schema.words import Category
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.sentences import (
    default_sentences,
    numbered_sentences,
    read_pairs,
    read_sentences,
)
from forensics.sticky.find_by_contraction import ORDINARY_SAMPLE
from forensics.sticky.interface import Encoder
from forensics.sticky.probes import refuse_unfit
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = [
    "METHODS",
    "StickyOptions",
    "check_sentences",
    "check_texts",
    "reachable_tokens",
    "round_trip_tokens",
    "sentence_sets",
]

METHODS = ("contraction", "std")


@dataclass(frozen=True)
class StickyOptions:
    """The options that move a number."""

    method: str = "contraction"
    sentences: tuple[str, ...] = ()
    pairs: str | None = None
    tokens: tuple[int, ...] | None = None
    insertions: int = 8
    pairs_score: int = 5
    pairs_validate: int = 250
    shortlist: float = 2.0
    early_stop: bool = False
    minimum_effect: float | None = None
    ordinary_sample: int = ORDINARY_SAMPLE
    corpora: tuple[str, ...] = ()
    max_bytes: int | None = None
    effects: bool = True
    pooling: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    backend: str = "auto"
    screen_dtype: str = "auto"
    batch_size: int | None = None

    def check(self) -> None:
        """Refuse what cannot be done, whatever the model.

        :raises BadInputError: If an option is out of range or does not go with the method.
        """
        if self.method not in METHODS:
            raise BadInputError("--method", f"found {self.method!r}", f"give {' or '.join(METHODS)}")
        if self.insertions < 1:
            raise BadInputError("--insertions", f"found {self.insertions}", "give 1 or more")
        if not 0 < self.shortlist <= 100:
            raise BadInputError(
                "--shortlist", f"found {self.shortlist}", "give a share in percent, up to 100"
            )
        if self.ordinary_sample < 3:
            raise BadInputError("--ordinary-sample", f"found {self.ordinary_sample}", "give 3 or more")
        if self.minimum_effect is not None and not 0 < self.minimum_effect < 1:
            raise BadInputError("--minimum-effect", f"found {self.minimum_effect}", "give a share below 1")
        if self.max_bytes is not None and self.max_bytes < 1:
            raise BadInputError("--max-bytes", f"found {self.max_bytes}", "give 1 or more")
        if len(self.sentences) > 2:
            raise BadInputError("--sentences", f"given {len(self.sentences)} times", "give it at most twice")
        if self.pairs is not None and self.method != "std":
            raise BadInputError(
                "--pairs", "goes with --method std only", "give sentences, one a line, with --sentences"
            )

    def check_tokens(self, rows: int) -> None:
        """Refuse ids that the model lacks.

        :param rows: Rows of the embedding.
        :raises BadInputError: If there is one.
        """
        wrong = [i for i in self.tokens or () if not 0 <= i < rows]
        if wrong:
            found = f"id {wrong[0]} is outside the embedding of {rows:,} rows"
            raise BadInputError("--tokens", found, "give ids of the model's vocabulary")


def sentence_sets(options: StickyOptions) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
    """Return two sets of sentences with their names; the second shares none with the first.

    One file is cut in halves, every other sentence going to the confirmation set.

    :raises BadInputError: If a file is empty, or the two share so much that nothing is left to confirm on.
    """
    if not options.sentences:
        first, second = default_sentences()
        return ("embedded sentences, FLORES-200 dev", first), (
            "embedded sentences, FLORES-200 devtest",
            second,
        )
    files = [Path(name) for name in options.sentences]
    first = read_sentences(files[0])
    if len(files) == 1:
        return (f"{files[0]} (odd lines)", first[::2]), (f"{files[0]} (even lines)", first[1::2])
    known = set(first)
    second = [sentence for sentence in read_sentences(files[1]) if sentence not in known]
    if not second:
        raise BadInputError(
            files[1], f"every sentence is also in {files[0]}", "give other sentences to confirm on"
        )
    return (str(files[0]), first), (str(files[1]), second)


def check_texts(options: StickyOptions) -> None:
    """Read what the user gave, before any work, for its errors' sake.

    :raises BadInputError: If a file cannot be used, or has fewer pairs than are asked for.
    """
    if options.pairs is None:
        sentence_sets(options)
        return
    count, wanted = len(read_pairs(Path(options.pairs))), max(options.pairs_score, options.pairs_validate)
    if count < wanted:
        found = f"holds {count} pairs, {wanted} are needed"
        raise BadInputError(options.pairs, found, "give more pairs or ask for fewer")


def check_sentences(encoder: Encoder, options: StickyOptions, probes: int) -> None:
    """Refuse sentences that do not fit the model, naming the line.

    :param encoder: The model.
    :param probes: All probes that are drawn of one set.
    :raises BadInputError: See `refuse_unfit`.
    """
    files = [Path(name) for name in options.sentences]
    for which, (name, sentences) in enumerate(sentence_sets(options)):
        lines = numbered_sentences(files[min(which, len(files) - 1)]) if files else {}
        numbers = [lines[sentence] for sentence in sentences] if lines else []
        refuse_unfit(encoder, sentences, name=name, probes=probes, lines=numbers)


def reachable_tokens(vocabulary: Vocabulary) -> list[int]:
    """Return the ids that some text produces, alone or in a context, special tokens included."""
    return [int(i) for i in np.flatnonzero(np.isin(vocabulary.category, [Category.OK, Category.OK_SPECIAL]))]


def round_trip_tokens(source: TokenizerSource) -> dict[int, str]:
    """Return id -> text of the tokens that decode and re-encode to themselves and are not blank.

    This is the authors' rule, with the tokenizer's own decoder; narrower than `reachable_tokens`.
    """
    ids = [i for i, piece in enumerate(source.pieces) if piece is not None]
    texts: Sequence[str] = source.encoder.decode_batch([[i] for i in ids], skip_special_tokens=False)
    encoded = source.encoder.encode_batch(list(texts), add_special_tokens=False)
    return {
        i: text
        for i, text, encoding in zip(ids, texts, encoded, strict=True)
        if text.strip() and encoding.ids == [i]
    }
