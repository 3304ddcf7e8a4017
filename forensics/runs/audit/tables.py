"""The tables of an audit, from what the analyses gave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.auditing.distributions import average_rank, renyi_efficiency, renyi_entropy
from forensics.auditing.kinds import VocabularyKinds
from forensics.auditing.languages import LanguageQuality
from forensics.auditing.residues import Residues
from forensics.runs.audit.optional import Asked
from forensics.schema.audit_rules import RULES
from forensics.schema.audit_summary import NumberCuts
from forensics.schema.finding import Finding
from forensics.vocabulary.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

    from forensics.schema.record import JsonValue

__all__ = ["findings_table", "languages_table", "numbers_table", "vocabulary_table"]


def languages_table(
    languages: Sequence[LanguageQuality], asked: Asked, *, size: int, renyi: bool
) -> pd.DataFrame:
    """Return one row per language, in the order given.

    :param size: Declared size of the vocabulary.
    :param renyi: Whether entropy and rank are given.
    """
    import pandas as pd

    rows = []
    for one in languages:
        row = _language(one)
        if renyi:
            row |= _distribution(one, size)
        if asked.lengths is not None:
            ratio = asked.lengths[one.language]
            low, high = ratio.interval or (None, None)
            row |= {"nsl": ratio.value, "nsl_low": low, "nsl_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _language(one: LanguageQuality) -> dict[str, JsonValue]:
    low, high = one.premium.interval or (None, None)
    words = one.words
    return {
        "language": one.language,
        "script": one.script,
        "premium": one.premium.value,
        "premium_low": low,
        "premium_high": high,
        "struck": one.struck,
        "bytes": one.bytes,
        "characters": one.characters,
        "tokens": one.tokens,
        "bytes_per_token": one.bytes_per_token,
        "characters_per_token": one.characters_per_token,
        "fertility": None if words is None else words.fertility,
        "continued": None if words is None else words.continued,
        "single_token": None if words is None else words.single_token,
        "unknown": one.unknown,
        "dropped": one.dropped,
        "round_trip": one.round_trip.exact / one.round_trip.texts,
        "round_trip_nearly": one.round_trip.nearly / one.round_trip.texts,
        "split_characters": one.split_characters,
        "alphabet": None if one.coverage is None else one.coverage.types,
    }


def _distribution(one: LanguageQuality, size: int) -> dict[str, JsonValue]:
    if not len(one.counts):
        return {}
    efficiency = renyi_efficiency(one.counts, size)
    return {
        "shannon": renyi_entropy(one.counts, 1),
        "renyi_of_types": None if efficiency is None else efficiency.of_types_seen,
        "renyi_of_size": None if efficiency is None else efficiency.of_declared_size,
        "average_rank": average_rank(one.counts),
    }


def vocabulary_table(
    vocabulary: Vocabulary, kinds: VocabularyKinds, residues: Residues | None, asked: Asked
) -> pd.DataFrame:
    """Return one row per id, with what became of it on the way to others where merges make it."""
    table = vocabulary.table()[["token_id", "piece", "text", "bytes", "script"]]
    table = table.assign(kind=kinds.kind, characters=kinds.characters, begins_word=kinds.begins_word)
    if residues is not None:
        place = {piece: number for number, piece in enumerate(residues.pieces)}
        at = [place.get(piece or "") for piece in vocabulary.pieces]
        known = np.array([number is not None for number in at])
        where = np.array([number or 0 for number in at])
        for name in ("created", "final", "stays", "vanishes"):
            table[name] = np.where(known, getattr(residues, name)[where], np.nan)
    if asked.plan is not None:
        table["removable"] = np.isin(np.arange(len(vocabulary)), asked.plan.removable)
    return table


def numbers_table(numbers: Sequence[NumberCuts]) -> pd.DataFrame:
    """Return one row per length of numbers."""
    import pandas as pd

    return pd.DataFrame(
        {
            "digits": [one.digits for one in numbers],
            "numbers": [one.numbers for one in numbers],
            "tokens": [one.tokens for one in numbers],
            "patterns": [one.patterns for one in numbers],
            "commonest": [one.commonest[0][0] for one in numbers],
            "commonest_share": [one.commonest[0][1] for one in numbers],
            "threes_from_left": [one.threes_from_left for one in numbers],
            "threes_from_right": [one.threes_from_right for one in numbers],
            "single_digits": [one.single_digits for one in numbers],
        }
    )


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return one row per finding, in the order given."""
    import pandas as pd

    columns = ("level", "rule", "subject", "message", "help", "token_id", "evidence", "fingerprint")
    rows = [
        (
            one.level.value,
            one.rule,
            one.subject,
            one.message,
            RULES[one.rule].remedy,
            one.token_id,
            json.dumps(dict(one.evidence), ensure_ascii=False),
            one.fingerprint,
        )
        for one in findings
    ]
    return pd.DataFrame(rows, columns=list(columns)).astype({"token_id": "Int64"})
