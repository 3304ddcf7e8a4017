"""What every language costs in tokens: one pass over parallel text.

From one encoding of every line come the premium, bytes and characters per token, unknown tokens, the round
trip, characters cut in two, and the coverage of the alphabet; from its words fertility and single-token
words. The pass keeps tokens per line and how often each id occurs, which is all that Renyi efficiency,
average rank, overlap of languages and length against another tokenizer need.

A metric that does not apply is None and stands in `not_applicable` with its reason, never 0. A language
with more than a tenth of unknown tokens keeps its premium and is struck from median and maximum: XLM-R
looks good on Santali at 1.64 because half of its tokens there are unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from forensics.auditing.encoded_text import EncodedText, encode_lines
from forensics.auditing.premium import Ratio, ratio_of_sums
from forensics.auditing.round_trip import Decoder, RoundTrip, decoder_of, round_trip
from forensics.auditing.unknown import is_byte_complete, is_struck, unknown_ids, unknown_share
from forensics.auditing.words import UNSPACED_SCRIPTS, word_quality, words_of
from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.schema.audit_summary import WordQuality
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.scripts import script_of_text
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = [
    "REFERENCE",
    "VARIANT",
    "Coverage",
    "LanguageQuality",
    "ParallelQuality",
    "audit_languages",
    "dropped_characters",
    "split_characters",
]

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

#: How lines are encoded for every figure but those of words.
VARIANT = "sums/lines/no_specials"
REFERENCE = "eng_Latn"


@dataclass(frozen=True)
class Coverage:
    """How much of a language's alphabet the vocabulary holds as tokens of one character."""

    #: Distinct letters, marks and numbers of the text.
    characters: int
    #: Share of these that are a token.
    types: float
    #: Share of their occurrences.
    occurrences: float


@dataclass(frozen=True, eq=False)
class LanguageQuality:
    """What one language costs in one tokenizer."""

    #: As its file is named, e.g. `deu_Latn`.
    language: str
    #: The script of most of its letters.
    script: str
    #: UTF-8 bytes, code points and tokens of all lines.
    bytes: int
    characters: int
    tokens: int
    #: Against the reference language.
    premium: Ratio
    #: Whether unknown tokens or dropped characters make the premium meaningless.
    struck: bool
    #: Comparable between tokenizers on this language, never between scripts.
    bytes_per_token: float
    characters_per_token: float
    #: Share of tokens that are unknown, or None for a tokenizer that can spell every byte.
    unknown: float | None
    #: Share of the visible characters that no token covers: dropped without an unknown token.
    dropped: float
    #: Lines that come back after decoding.
    round_trip: RoundTrip
    #: Share of characters that are spread over several tokens.
    split_characters: float
    #: None where the text has no letters, marks or numbers.
    coverage: Coverage | None
    #: None for scripts without spaces.
    words: WordQuality | None
    #: Metric -> why it does not apply.
    not_applicable: Mapping[str, str]
    #: Tokens of every line, shape (m,).
    line_lengths: Int64Array
    #: Ids that occur, ascending, and how often, both shape (u,).
    ids: Int32Array
    counts: Int64Array


@dataclass(frozen=True, eq=False)
class ParallelQuality:
    """All languages of a parallel text in one tokenizer."""

    #: The language that the premiums refer to.
    reference: str
    #: Lines per language.
    lines: int
    #: Sorted by premium, dearest first.
    languages: tuple[LanguageQuality, ...]
    #: Of the premiums of the other languages, those struck left out; None if none is left.
    median_premium: float | None
    highest: str | None
    #: How lines were encoded.
    variant: str = VARIANT


def audit_languages(
    source: TokenizerSource,
    vocabulary: Vocabulary,
    parallel: Mapping[str, Sequence[str]],
    reference: str = REFERENCE,
    progress: Progress | None = None,
) -> ParallelQuality:
    """Return what every language of a parallel text costs.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    :param parallel: Language -> its lines, the same number for all.
    :param reference: The language that premiums refer to, one of `parallel`.
    :param progress: Where to report to.
    :raises BadInputError: If the reference language is not there.
    """
    if reference not in parallel:
        raise BadInputError(
            "the parallel text",
            f"no language {reference!r} to refer to (it has {', '.join(list(parallel)[:6])}, ...)",
            "name one of its languages with --reference-language",
        )
    audit = _Audit.of(source, vocabulary)
    found: dict[str, LanguageQuality] = {}
    base = encode_lines(source.encoder, parallel[reference]).line_lengths
    with (progress or Progress()).stage("encoding parallel text", len(parallel), "languages") as stage:
        for language, lines in parallel.items():
            found[language] = audit.language(language, lines, base)
            stage.advance()
    ordered = sorted(found.values(), key=lambda one: (-one.premium.value, one.language))
    told = [one for one in ordered if one.language != reference and not one.struck]
    return ParallelQuality(
        reference=reference,
        lines=len(base),
        languages=tuple(ordered),
        median_premium=median(one.premium.value for one in told) if told else None,
        highest=told[0].language if told else None,
    )


@dataclass(frozen=True, eq=False)
class _Audit:
    """What is the same for every language."""

    source: TokenizerSource
    vocabulary: Vocabulary
    decode: Decoder
    #: Ids of the unknown token, or None for a tokenizer that can spell every byte.
    unknown: Int32Array | None
    #: Whether a token holds part of a character, shape (V,).
    is_partial: npt.NDArray[np.bool_]
    #: Texts of one character that are a token.
    characters: frozenset[str]

    @classmethod
    def of(cls, source: TokenizerSource, vocabulary: Vocabulary) -> _Audit:
        complete = is_byte_complete(vocabulary)
        return cls(
            source,
            vocabulary,
            decoder_of(source, vocabulary),
            None if complete else unknown_ids(source),
            np.array(
                [
                    bool(data) and text is None
                    for data, text in zip(vocabulary.bytes, vocabulary.text, strict=True)
                ]
            ),
            frozenset(text for text in vocabulary.text if text is not None and len(text) == 1),
        )

    def language(self, language: str, lines: Sequence[str], base: Int64Array) -> LanguageQuality:
        """Return the figures of one language; `base` are the reference's tokens per line."""
        encoded = encode_lines(self.source.encoder, lines)
        script = _main_script(lines)
        reasons: dict[str, str] = {}
        if self.unknown is None:
            reasons["unknown"] = "the vocabulary spells every byte"
        elif not len(self.unknown):
            reasons["unknown"] = "there is no unknown token; what the vocabulary lacks is dropped"
        unknown = unknown_share(encoded, self.unknown)
        dropped = dropped_characters(encoded)
        words = None
        if script in UNSPACED_SCRIPTS:
            reasons["words"] = f"{script} is written without spaces between words"
        else:
            words = word_quality(self.source.encoder, self.vocabulary, words_of(lines))
        ids, counts = np.unique(encoded.ids, return_counts=True)
        tokens = len(encoded.ids)
        nbytes = sum(len(line.encode("utf-8", "surrogatepass")) for line in lines)
        characters = sum(map(len, lines))
        return LanguageQuality(
            language=language,
            script=script,
            bytes=nbytes,
            characters=characters,
            tokens=tokens,
            premium=ratio_of_sums(encoded.line_lengths, base),
            struck=is_struck(unknown, dropped),
            bytes_per_token=nbytes / max(tokens, 1),
            characters_per_token=characters / max(tokens, 1),
            unknown=unknown,
            dropped=dropped,
            round_trip=round_trip(lines, self.decode(encoded.ids_of_lines())),
            split_characters=split_characters(encoded, self.is_partial) / max(characters, 1),
            coverage=_coverage(lines, self.characters),
            words=words,
            not_applicable=reasons,
            line_lengths=encoded.line_lengths,
            ids=ids.astype(np.int32),
            counts=counts.astype(np.int64),
        )


def dropped_characters(encoded: EncodedText) -> float:
    """Return the share of the characters, whitespace left out, that no token covers."""
    first_of_line = np.concatenate([[0], np.cumsum([len(line) for line in encoded.lines])])
    at = encoded.spans + first_of_line[encoded.line_of_token][:, None]
    change = np.zeros(first_of_line[-1] + 1, dtype=np.int64)
    np.add.at(change, at[:, 0], 1)
    np.add.at(change, at[:, 1], -1)
    visible = np.array([not character.isspace() for character in "".join(encoded.lines)], dtype=np.bool_)
    covered = np.cumsum(change)[:-1] > 0
    return float((visible & ~covered).sum() / max(visible.sum(), 1))


def split_characters(encoded: EncodedText, is_partial: npt.NDArray[np.bool_]) -> int:
    """Return how many characters are spread over two or more tokens.

    :param encoded: The text.
    :param is_partial: Whether an id's bytes are no valid UTF-8 by themselves, shape (V,). Every token of a
        split character is such, and no token of a whole one, so a space that the tokenizer put in front
        (whose span is the character behind it) is not taken for a part.
    """
    first_of_line = np.concatenate([[0], np.cumsum([len(line) for line in encoded.lines])])
    partial = is_partial[encoded.ids]
    at = (encoded.spans + first_of_line[encoded.line_of_token][:, None])[partial]
    change = np.zeros(first_of_line[-1] + 1, dtype=np.int64)
    np.add.at(change, at[:, 0], 1)
    np.add.at(change, at[:, 1], -1)
    return int((np.cumsum(change) >= 2).sum())


def _main_script(lines: Sequence[str]) -> str:
    """Return the script of most letters, by occurrence."""
    counts: Counter[str] = Counter()
    for character, count in Counter("".join(lines)).items():
        counts[script_of_text(character)] += count if character.isalpha() else 0
    return counts.most_common(1)[0][0] if counts else ""


def _coverage(lines: Sequence[str], known: frozenset[str]) -> Coverage | None:
    """Return the share of letters, marks and numbers that are a token."""
    import unicodedata

    counts = {
        character: count
        for character, count in Counter("".join(lines)).items()
        if unicodedata.category(character)[0] in "LMN"
    }
    if not counts:
        return None
    covered = [character for character in counts if character in known]
    return Coverage(
        characters=len(counts),
        types=len(covered) / len(counts),
        occurrences=sum(counts[character] for character in covered) / sum(counts.values()),
    )
