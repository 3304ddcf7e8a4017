"""Whether ids, pieces, merges and added tokens are sound.

Each check gives at most one finding per rule and group of subjects. Where the project counts something in
one place already (reachability, merge oddities), it is taken from there. Isolated encoding would call many
pieces unreachable that a character before them reaches (95,376 of XLM-R's against 10).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from forensics.auditing.kinds import Risk, id_gaps, risks_of
from forensics.auditing.round_trip import decoder_of, round_trip
from forensics.auditing.rules import found, listed
from forensics.schema.finding import Finding, Level
from forensics.schema.words import Category
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.vocabulary.merges import MergeProblem, merge_problems
from forensics.vocabulary.reachability import LEFT_CONTEXTS
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ROUND_TRIP_TEXTS", "integrity_findings", "unreachable_reasons"]

#: What a tokenizer should give back: words, spaces, line ends, combining marks, scripts, emoji, code.
ROUND_TRIP_TEXTS = (
    "The quick brown fox, isn't it?",
    "  two spaces  between and after  ",
    "tab\tand\nline\r\nends\n\n",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m",
    "cafe\u0301 \u2126 \ufb01",
    "日本語 हिन्दी العربية 한국어",
    "\U0001f469\u200d\U0001f680 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f642",
    "if (a != b) { x = 3.14; } // ???",
)
#: Merge oddities by the words of `merge_problems`.
_MERGE_RULES = {
    "duplicate_bytes": "piece/same-bytes",
    "repeated_merge": "merge/repeated",
    "redundant_merge": "merge/redundant",
    "dangling_merge": "merge/dangling",
    "unformable_merge": "merge/unformable",
    "token_without_merge": "merge/token-without-merge",
    "merge_by_hand": "merge/by-hand",
}


def integrity_findings(
    source: TokenizerSource, vocabulary: Vocabulary, merges: tuple[MergeProblem, ...] | None = None
) -> tuple[Finding, ...]:
    """Return what is wrong with ids, pieces, merges, added tokens and the round trip.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    :param merges: What `merge_problems` says, if the caller has it already.
    """
    problems = merge_problems(source, vocabulary) if merges is None else merges
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _ids(source),
        lambda: _merges(source, problems),
        lambda: _unreachable(source, vocabulary),
        lambda: _added(source, vocabulary),
        lambda: _round_trip(source, vocabulary),
        lambda: _characters(vocabulary),
    )
    return tuple(finding for check in checks for finding in check())


def unreachable_reasons(source: TokenizerSource, vocabulary: Vocabulary) -> dict[int, str]:
    """Return id -> what keeps an ordinary token from being given.

    `added token`: one of those is cut out of its text first; `normalizer`: it changes the text;
    `pre-tokenizer`: it never leaves the text in one part; else the algorithm itself, `merges` for BPE.
    Single bytes are left out: they are there for text that is nowhere else.
    """
    rest = "merges" if source.model is TokenizerModel.BPE else "algorithm"
    added = source.encoder.get_added_tokens_decoder().keys()
    reasons = {}
    for token_id in _unreachable_ids(vocabulary):
        if added & set(vocabulary.reencoded.get(token_id, ())):
            reasons[token_id] = "added token"
        else:
            reasons[token_id] = _reason(source.encoder, vocabulary.text[token_id] or "") or rest
    return reasons


def _unreachable_ids(vocabulary: Vocabulary) -> list[int]:
    unreachable = np.isin(vocabulary.category, [Category.UNREACHABLE_SINGLE, Category.UNREACHABLE_MULTI])
    found_ids: list[int] = np.flatnonzero(unreachable & ~vocabulary.is_byte & ~vocabulary.is_added).tolist()
    return found_ids


def _reason(encoder: tokenizers.Tokenizer, text: str) -> str | None:
    normalizer, pre_tokenizer = encoder.normalizer, encoder.pre_tokenizer
    normalized = text if normalizer is None else normalizer.normalize_str(text)
    # SentencePiece's normalizer spells spaces otherwise and puts one in front; that loses nothing.
    if normalized.replace("\u2581", " ").strip(" ") != text.strip(" "):
        return "normalizer"
    if pre_tokenizer is None:
        return None
    for before in ("", *(context for _, context in LEFT_CONTEXTS)):
        start, stop = len(before), len(before) + len(text)
        spans = (span for _, span in pre_tokenizer.pre_tokenize_str(before + text))
        if any(first <= start and stop <= last for first, last in spans):
            return None
    return "pre-tokenizer"


def _ids(source: TokenizerSource) -> Iterator[Finding]:
    ids: dict[str, set[int]] = defaultdict(set)
    pieces: dict[int, set[str]] = defaultdict(set)
    for token_id, piece in enumerate(source.pieces):
        if piece is not None:
            ids[piece].add(token_id)
            pieces[token_id].add(piece)
    for token in source.added_tokens:
        pieces[token.token_id].add(token.content)
    for piece, same in ids.items():
        if len(same) > 1:
            message = f"{piece!r} stands at the ids {listed(sorted(same))}"
            yield found("id/duplicate", piece, message, piece=piece)
    for token_id, different in pieces.items():
        if len(different) > 1:
            names = " and ".join(repr(piece) for piece in sorted(different))
            yield found("id/duplicate", f"id {token_id}", f"id {token_id} is {names}", token_id=token_id)
    if gaps := id_gaps(source):
        message = f"{len(gaps):,} ids have no piece: {listed(gaps)}"
        yield found("id/gap", "ids", message, evidence={"count": len(gaps)})
    misplaced = [token for token in source.added_tokens if token.declared_id is not None]
    if misplaced:
        examples = (
            f"{token.content!r} declared {token.declared_id}, given {token.token_id}" for token in misplaced
        )
        message = (
            f"{len(misplaced):,} of {len(source.added_tokens):,} added tokens have another id than "
            f"{misplaced[0].declared_in} declares: {listed(examples, 10)}"
        )
        yield found("id/not-honoured", "added tokens", message, evidence={"count": len(misplaced)})


def _merges(source: TokenizerSource, problems: tuple[MergeProblem, ...]) -> Iterator[Finding]:
    for problem in problems:
        if (rule := _MERGE_RULES.get(problem.kind)) is None:
            continue
        # A list rebuilt from SentencePiece's scores names every way of making a piece.
        rebuilt = problem.kind == "redundant_merge" and not source.byte_level
        message = f"{problem.count:,} times: {problem.meaning} For example {listed(problem.examples, 3)}"
        yield found(
            rule, rule, message, level=Level.NOTE if rebuilt else None, evidence={"count": problem.count}
        )


def _unreachable(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[Finding]:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for token_id, reason in unreachable_reasons(source, vocabulary).items():
        by_reason[reason].append(token_id)
    for reason, ids in sorted(by_reason.items()):
        message = f"{len(ids):,} tokens that no text gives, because of the {reason}: {listed(ids)}"
        yield found("piece/unreachable", reason, message, evidence={"count": len(ids)})


def _added(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[Finding]:
    # By the ids that the library gives, which need not be those that the files declare.
    given = source.encoder.get_added_tokens_decoder()
    dead: dict[int, list[int]] = defaultdict(list)
    for token_id in _unreachable_ids(vocabulary):
        for winner in given.keys() & set(vocabulary.reencoded.get(token_id, ())):
            dead[winner].append(token_id)
    if dead:
        pieces = sorted(set().union(*dead.values()))
        winners = listed((repr(given[winner].content) for winner in sorted(dead)), 10)
        message = (
            f"{len(dead):,} added tokens are cut out of text first ({winners}), and {len(pieces):,} ordinary "
            f"pieces are never given because of it: {listed(pieces)}"
        )
        evidence = {"count": len(dead), "pieces": len(pieces)}
        yield found("added/overrides", "added tokens", message, evidence=evidence)
    content = {token.token_id: token.content for token in source.added_tokens}
    ids = [token_id for token_id in content if token_id < len(vocabulary)]
    decoded = decoder_of(source, vocabulary)([[token_id] for token_id in ids])
    wrong = [
        (content[token_id], text)
        for token_id, text in zip(ids, decoded, strict=True)
        # A decoder may drop the spaces around a text; that is the round trip's matter.
        if text.strip() != (vocabulary.text[token_id] or "").strip()
    ]
    if wrong:
        examples = listed((f"{own!r} gives {text!r}" for own, text in wrong), 10)
        message = f"{len(wrong):,} added tokens decode to another text: {examples}"
        yield found("added/undecodable", "added tokens", message, evidence={"count": len(wrong)})


def _round_trip(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[Finding]:
    encodings = source.encoder.encode_batch(list(ROUND_TRIP_TEXTS), add_special_tokens=False)
    decoded = decoder_of(source, vocabulary)([encoding.ids for encoding in encodings])
    result = round_trip(ROUND_TRIP_TEXTS, decoded)
    if result.exact == result.texts:
        return
    first = next(pair for pair in zip(ROUND_TRIP_TEXTS, decoded, strict=True) if pair[0] != pair[1])
    harmless = result.nearly == result.texts
    how = "; they differ in Unicode's form NFC or in spaces around only" if harmless else ""
    message = (
        f"{result.texts - result.exact} of {result.texts} texts do not come back{how}: "
        f"{first[0]!r} gives {first[1]!r}"
    )
    evidence = {"texts": result.texts, "exact": result.exact, "nearly": result.nearly}
    yield found("roundtrip", "texts", message, level=Level.NOTE if harmless else None, evidence=evidence)


def _characters(vocabulary: Vocabulary) -> Iterator[Finding]:
    by_risk: dict[Risk, list[int]] = defaultdict(list)
    for token_id, text in enumerate(vocabulary.text):
        # Single bytes are the alphabet of the vocabulary: all 256 are there.
        if text is None or vocabulary.is_byte[token_id] or vocabulary.is_special[token_id]:
            continue
        for risk in risks_of(text):
            by_risk[risk].append(token_id)
    for risk in Risk:
        if ids := by_risk.get(risk):
            examples = listed((f"{token_id} {vocabulary.text[token_id]!r}" for token_id in ids), 10)
            message = f"{len(ids):,} pieces: {examples}"
            yield found(f"char/{risk}", risk, message, evidence={"count": len(ids)})
