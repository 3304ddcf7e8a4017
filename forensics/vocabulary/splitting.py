"""How the tokenizer cuts text before merging: its own rules, or a named one, or a refusal.

The merge list only means what the paper reads in it if the counted text is cut as the training text was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forensics.errors import BadInputError, OptionError
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.sources.tokenizer_files.pretokenizers import LLAMA_CPP_NAMES
from forensics.vocabulary.merge_list import MergeList

__all__ = ["RULE_NAMES", "Splitter", "splitter_of", "splitter_of_pieces"]

#: Chunks of text that can be cut on their own, see `pretokens`: whatever whitespace stands in front, then
#: everything up to the next space behind a visible character. A line end does not close a chunk in whole
#: documents: patterns such as GPT-4's attach line ends to the punctuation before them.
_DOCUMENT_CHUNK = re.compile(r"\s*\S+(?:[^\S ]\s*\S+)*(?:[^\S ]\s*)?|\s+")
_LINE_CHUNK = re.compile(r"[^\S\n]*\S+(?:[^\S \n][^\S\n]*\S+)*(?:[^\S \n][^\S\n]*)?\n?|[^\S\n]*\n|[^\S\n]+")
#: The same for SentencePiece, which sees single lines and writes U+2581 for a space.
_PIECE_CHUNK = re.compile("[ \u2581]*[^ \u2581]+|[ \u2581]+")
#: Normalizers that work character by character, or nearly: a chunk of text is normalized as within it.
_LOCAL = frozenset({"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Sequence"})
#: Rules that are not llama.cpp's.
_OWN_NAMES = {"gpt2": "gpt-2", "cl100k": "llama-bpe", "o200k": "gpt-4o"}
#: SentencePiece's borders.
SENTENCEPIECE = "sentencepiece"


@dataclass(frozen=True, eq=False)
class Splitter:
    """A way of cutting text into pre-tokens."""

    #: The normalizer of the `tokenizers` library, or None.
    normalizer: Any
    #: The pre-tokenizer of the `tokenizers` library.
    pre_tokenizer: Any
    #: Whether the text was fed to the trainer line by line, so that nothing reaches across a line end.
    by_line: bool
    #: Whether the line end belongs to the line (SentencePiece drops it).
    keep_line_ends: bool
    #: Where the rule is from, in words.
    origin: str
    #: Identifies the rule in cache keys: everything above as text.
    fingerprint: str
    #: Whether a chunk of text is normalized as it would be within the whole.
    local: bool

    def split(self, unit: str) -> list[str]:
        """Return the pre-tokens of a line or document, normalized."""
        if self.normalizer is not None:
            unit = self.normalizer.normalize_str(unit)
        return self.split_normalized(unit)

    def split_normalized(self, unit: str) -> list[str]:
        """Return the pre-tokens of text that is normalized already."""
        return [word for word, _ in self.pre_tokenizer.pre_tokenize_str(unit)]

    def units(self, text: str) -> Iterator[str]:
        """Yield what the trainer is taken to have seen at a time: lines, or the text as it is."""
        if not self.by_line:
            yield text
            return
        # Only U+000A ends a line: splitlines() would also cut at U+2028, form feeds and the like.
        lines = text.split("\n")
        if self.keep_line_ends:
            yield from (line + "\n" for line in lines[:-1])
            lines = lines[-1:]
        yield from (line for line in lines if line)

    def chunks(self, text: str) -> list[str]:
        """Return `text` in chunks for `split_chunk`; all of the text is in them."""
        if self.local and self.keep_line_ends:
            return (_LINE_CHUNK if self.by_line else _DOCUMENT_CHUNK).findall(text)
        chunk = _DOCUMENT_CHUNK if self.keep_line_ends else _PIECE_CHUNK
        found: list[str] = []
        for unit in self.units(text):
            found += chunk.findall(self.normalizer.normalize_str(unit) if self.normalizer else unit)
        return found

    def split_chunk(self, chunk: str) -> list[str]:
        """Return the pre-tokens of one chunk."""
        return self.split(chunk) if self.local and self.keep_line_ends else self.split_normalized(chunk)


def splitter_of(source: TokenizerSource, merges: MergeList, rule: str | None = None) -> Splitter:
    """Return how `source` cuts text.

    :param source: The tokenizer.
    :param merges: Its merge list, which shows whether training saw lines or whole documents.
    :param rule: The name of a known rule to use in place of the tokenizer's own, one of `RULE_NAMES`.
    :raises BadInputError: If the tokenizer's files do not say how text is cut and no rule is named, or the
        name is unknown.
    """
    normalizer, pre_tokenizer = source.encoder.normalizer, source.encoder.pre_tokenizer
    keep_line_ends = True
    looks_sentencepiece = not source.byte_level and any("\u2581" in symbol for symbol in merges.symbols)
    if rule == SENTENCEPIECE or (rule is None and looks_sentencepiece and not _splits(pre_tokenizer)):
        from tokenizers import pre_tokenizers

        from forensics.vocabulary.sentencepiece_rule import sentencepiece_pre_tokenizer

        steps = [pre_tokenizer] if pre_tokenizer is not None else []
        pre_tokenizer = pre_tokenizers.Sequence([*steps, sentencepiece_pre_tokenizer(merges)])
        origin, keep_line_ends = "SentencePiece's training defaults", False
    elif rule is not None:
        pre_tokenizer, normalizer = _named(rule)
        origin = f"the rule {rule}, as asked for"
    elif source.pretokenizer_origin is None or pre_tokenizer is None:
        raise BadInputError(
            source.path,
            "the files do not say how text is cut before merging",
            f"name the rule with `pretokenizer` ({', '.join(RULE_NAMES[:6])}, ...)",
        )
    else:
        origin = source.pretokenizer_origin
    by_line = not keep_line_ends or not _joins_lines(merges, source.byte_level)
    spelt = [_spelt(normalizer), _spelt(pre_tokenizer), by_line, keep_line_ends]
    return Splitter(
        normalizer=normalizer,
        pre_tokenizer=pre_tokenizer,
        by_line=by_line,
        keep_line_ends=keep_line_ends,
        origin=origin,
        fingerprint=json.dumps(spelt),
        local=normalizer is None or _kinds(json.loads(_spelt(normalizer))) <= _LOCAL,
    )


def splitter_of_pieces(source: TokenizerSource) -> Splitter:
    """Return how a tokenizer without merges (Unigram, WordPiece) cuts text into words, line by line.

    SentencePiece's Unigram keeps words apart by its pieces alone, which begin with the space: text is cut in
    front of every run of spaces, across which no piece reaches.

    :param source: The tokenizer.
    :raises BadInputError: If its files do not say how text is cut.
    """
    normalizer, pre_tokenizer = source.encoder.normalizer, source.encoder.pre_tokenizer
    spaced = any(piece is not None and piece.startswith("\u2581") for piece in source.pieces)
    origin = source.pretokenizer_origin
    if spaced:
        from tokenizers import Regex, pre_tokenizers

        words = pre_tokenizers.Split(Regex("\u2581*[^\u2581]+|\u2581+"), behavior="isolated")
        pre_tokenizer = pre_tokenizers.Sequence([words] if pre_tokenizer is None else [pre_tokenizer, words])
        origin = "spaces, as SentencePiece does"
    elif pre_tokenizer is None or origin is None:
        raise BadInputError(
            source.path,
            "the files do not say how text is cut into words",
            "give a tokenizer.json, which says it",
        )
    keep_line_ends = any(piece is not None and "\n" in piece for piece in source.pieces)
    spelt = [_spelt(normalizer), _spelt(pre_tokenizer), True, keep_line_ends]
    return Splitter(normalizer, pre_tokenizer, True, keep_line_ends, origin, json.dumps(spelt), local=False)


def _splits(pre_tokenizer: Any) -> bool:
    """Return whether a pre-tokenizer cuts at all: converted SentencePiece files have one that does not."""
    spelt = json.loads(_spelt(pre_tokenizer))
    return spelt is not None and not (spelt.get("type") == "Metaspace" and spelt.get("split") is False)


def _joins_lines(merges: MergeList, byte_level: bool) -> bool:
    """Return whether a learned symbol reaches across a line end: training saw more than single lines."""
    line_end = CHARACTER_OF_BYTE[0x0A] if byte_level else "\n"
    return any(line_end in merges.symbols[number][:-1] for number in merges.result.tolist())


def _named(rule: str) -> tuple[Any, Any]:
    """Return pre-tokenizer and normalizer of a known rule."""
    known = LLAMA_CPP_NAMES.get(_OWN_NAMES.get(rule, rule))
    if known is None:
        raise OptionError("pretokenizer", f"unknown rule {rule!r}", f"known: {', '.join(RULE_NAMES)}")
    return known.make(), known.make_normalizer()


def _spelt(part: Any) -> str:
    """Return a normalizer or pre-tokenizer as JSON text."""
    return "null" if part is None else bytes(part.__getstate__()).decode("utf-8")


def _kinds(part: Any) -> set[str]:
    """Return the kinds of normalizer that a spelt normalizer consists of."""
    if isinstance(part, dict):
        inner = set().union(*(_kinds(value) for value in part.values()), set())
        return inner | {part["type"]} if "type" in part else inner
    return set().union(*(_kinds(value) for value in part), set()) if isinstance(part, list) else set()


#: What `pretokenizer` accepts.
RULE_NAMES: tuple[str, ...] = (*_OWN_NAMES, SENTENCEPIECE, *sorted(LLAMA_CPP_NAMES))
