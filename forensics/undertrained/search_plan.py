"""What a search is asked for and what it gives back; the search itself is in `search_down`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from forensics.schema.words import Role
from forensics.undertrained.estimate import Estimate, Stratum
from forensics.undertrained.probed_sample import ProbedSample
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.two_phase import TwoPhase

__all__ = ["CONTROLS_BOUND", "SearchPlan", "SearchResult", "StoppedBy"]

#: Share of controls that the model must be able to repeat for the verdicts to mean anything. Well-trained
#: tokens fail the prompts at the false-alarm floor, a few percent.
CONTROLS_BOUND = 0.8


class StoppedBy(StrEnum):
    """Why the search down the list ended."""

    #: The last window was not above the false-alarm floor.
    DRIED_UP = "dried_up"
    #: The budget of tokens was used up; the list had not dried up.
    MAX_CANDIDATES = "max_candidates"
    #: Every token of the ranking was verified.
    END_OF_RANKING = "end_of_ranking"
    #: Every token below the candidates was probed, and verified if the probes left it open.
    CENSUS = "census"


@dataclass(frozen=True)
class SearchPlan:
    """What is to be verified. All ids are token ids."""

    #: Rankable tokens, most suspicious first: one representative per group of identical rows, no
    #: declared reserved ones.
    ranking: Sequence[int]
    #: Candidates that are verified in any case.
    least: int
    #: Most tokens of the ranking, candidates included, that are gone through one by one; None: no bound.
    most: int | None = None
    #: Well-trained tokens.
    controls: Sequence[int] = ()
    #: Groups outside the ranking, and what the user asked for (`Role.REQUESTED`).
    extra: Mapping[Role, Sequence[int]] = field(default_factory=dict)
    #: Most tokens tested of each extra group other than the requested; a larger group is sampled.
    most_per_extra: int = 1000
    #: Random tokens from below the candidates.
    audit_sample: int = 100
    #: Random tokens from what remains after the stop, audit tokens in it included.
    rest_sample: int = 300
    #: Tokens whose text holds a letter or a digit, for false alarms by class; None: not told apart.
    lettered: Collection[int] | None = None


@dataclass(frozen=True)
class SearchResult:
    """What verification found."""

    #: Evidence by token, in the order of testing.
    evidence: Mapping[int, TokenEvidence]
    #: The first reason for which each of them was tested.
    roles: Mapping[int, Role]
    #: How many tokens from the top of the ranking were all verified.
    searched: int
    #: Why it were not more.
    stopped_by: StoppedBy
    #: Verified share among random tokens of the least suspicious half, with interval.
    false_alarm_floor: Estimate
    #: How many random tokens that share rests on.
    false_alarm_floor_n: int
    #: Verified share of the last window of the search.
    last_window: Estimate
    #: Verified share of the random tokens outside the candidates: what a fixed cut would have missed.
    audit_share: Estimate
    #: How many tokens of the ranking would verify in all, false alarms included.
    estimate_total: Estimate
    #: How many of them are to be expected to be false alarms: the floor times the ranking's length.
    expected_false_alarms: Estimate
    #: Size, tested and verified per stratum below the stop.
    strata: tuple[Stratum, ...]
    #: Share of controls that the model did produce; NaN without controls.
    controls_passed: float
    #: Tokens of extra groups that were left out for the bound `most_per_extra`.
    left_out: Mapping[Role, int]
    #: What a sample by probes says of the rest; None where strata were verified instead.
    two_phase: TwoPhase | None = None
    #: What the probes showed of that sample.
    sample: ProbedSample | None = None

    def probe_p(self, rows: int) -> npt.NDArray[np.float32]:
        """Return each token's probability in the first probe, shape (rows,); NaN where it was not put."""
        found = np.full(rows, np.nan, dtype=np.float32)
        if self.sample is None:
            return found
        first = self.sample.names[0]
        for token, evidence in self.evidence.items():
            for prompt in evidence.prompts:
                if prompt.name == first:
                    found[token] = prompt.probabilities[0]
        found[self.sample.tokens] = self.sample.first_p
        return found

    @property
    def prompts_unsuitable(self) -> bool:
        """Whether the model cannot produce well-trained tokens either: the verdicts then blame nobody."""
        return self.controls_passed < CONTROLS_BOUND
