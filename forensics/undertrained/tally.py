"""Counting what a search found: by verdict, by the reason for which tokens were tested, by prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from forensics.schema.words import Role, Verdict
from forensics.undertrained.search_plan import SearchResult
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.weights import WeightFindings

__all__ = ["KinTally", "Tally", "tally"]


@dataclass(frozen=True)
class Tally:
    """The counts; controls, which test the prompts and not the model, are left out of all but `by_role`."""

    tested: int
    verified: int
    #: Verdict -> tokens.
    verdicts: Mapping[Verdict, int]
    #: Further rows identical to a verified one.
    same_rows_as_verified: int
    #: Role (controls too) -> tested and verified.
    by_role: Mapping[Role, tuple[int, int]]
    #: Tokens that the three prompts of the source alone would verify; the chat form is ours.
    by_source_prompts: int
    kin: KinTally


@dataclass(frozen=True)
class KinTally:
    """Tokens of which some were read to the end for all, see `forensics.undertrained.kin`."""

    groups: int
    #: Put to every prompt: the readers of each group, and all of a group of which a reader showed itself.
    read: int
    #: Of these, not verified strongly.
    shown: int
    #: Settled without, because their readers showed nothing.
    spoken_for: int


def tally(result: SearchResult, findings: WeightFindings) -> Tally:
    """Return the counts of a search.

    :param result: What verification found.
    :param findings: Which rows are identical.
    """
    judged = {i: e for i, e in result.evidence.items() if result.roles[i] != Role.CONTROL}
    speaking = [i for i, e in judged.items() if e.verdict.is_verified]
    spoken_for = np.isin(findings.representative, speaking) & ~findings.is_representative
    groups: dict[Role, list[TokenEvidence]] = {}
    for token_id, evidence in result.evidence.items():
        groups.setdefault(result.roles[token_id], []).append(evidence)
    return Tally(
        tested=len(judged),
        verified=len(speaking),
        verdicts=Counter(e.verdict for e in judged.values()),
        same_rows_as_verified=int(spoken_for.sum()),
        by_role={
            role: (len(found), sum(e.verdict.is_verified for e in found)) for role, found in groups.items()
        },
        by_source_prompts=_verified_without_chat(judged.values()),
        kin=_kin(judged.values()),
    )


def _kin(judged: Iterable[TokenEvidence]) -> KinTally:
    in_groups = [e for e in judged if e.kin is not None]
    read = [e for e in in_groups if not e.is_spoken_for]
    return KinTally(
        groups=len({e.kin for e in in_groups}),
        read=len(read),
        shown=sum(e.verdict is not Verdict.VERIFIED_STRONG for e in read),
        spoken_for=len(in_groups) - len(read),
    )


def _verified_without_chat(judged: Iterable[TokenEvidence]) -> int:
    return sum(
        Verdict.of(
            max(
                (
                    p
                    for prompt in e.prompts
                    if not prompt.name.startswith("chat")
                    for p in prompt.probabilities
                ),
                default=None,
            )
        ).is_verified
        for e in judged
    )
