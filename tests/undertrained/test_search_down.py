"""The search down the list, against vocabularies whose truth is simulated."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress, Stage
from forensics.schema.words import Role, Verdict
from forensics.undertrained.estimate import Estimate
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import SearchPlan, StoppedBy
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence


class Model:
    """Verifies the `dead` tokens; its probabilities depend on the company, as a real model's digits do."""

    def __init__(self, dead, interrupt_after=None):
        self.dead, self.interrupt_after = set(dead), interrupt_after
        self.blocks: list[list[int]] = []

    def __call__(self, tokens):
        if self.interrupt_after is not None and len(self.blocks) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.blocks.append(list(tokens))
        digits = sum(tokens) % 997 * 1e-9
        return [
            TokenEvidence.from_prompts(
                t, [PromptEvidence("repeat", ((1e-5 if t in self.dead else 0.9) + digits,), (t,), "")]
            )
            for t in tokens
        ]

    @property
    def seen(self):
        return [t for block in self.blocks for t in block]


def ranking_with(shares, size, rng):
    """Return `size * len(shares)` tokens in order and those that are dead, by share per stretch."""
    tokens = rng.permutation(size * len(shares)).tolist()
    dead = {
        t for i, share in enumerate(shares) for t in tokens[i * size : (i + 1) * size] if rng.random() < share
    }
    return tokens, dead


def test_goes_on_until_verification_dries_up():
    rng = np.random.default_rng(0)
    ranking, dead = ranking_with([0.9, 0.8, 0.7] + [0.0] * 27, 400, rng)
    model = Model(dead)
    found = search_down(model, SearchPlan(ranking, least=100), rng)
    assert found.stopped_by is StoppedBy.DRIED_UP
    assert 1200 <= found.searched <= 1600
    assert {t for t, e in found.evidence.items() if e.verdict.is_verified} == dead
    assert found.estimate_total.low <= len(dead) <= found.estimate_total.high
    assert len(model.seen) == len(set(model.seen)) < 2000


def test_stops_at_the_candidates_where_there_is_nothing_below():
    rng = np.random.default_rng(1)
    ranking, dead = ranking_with([0.02] * 20, 300, rng)
    found = search_down(Model(dead), SearchPlan(ranking, least=200), rng)
    assert found.searched <= 400
    assert found.stopped_by is StoppedBy.DRIED_UP


def test_says_when_the_budget_ended_the_search_and_estimates_the_rest():
    rng = np.random.default_rng(2)
    ranking, dead = ranking_with([0.9] * 10 + [0.1] * 10, 300, rng)
    found = search_down(Model(dead), SearchPlan(ranking, least=100, most=500), rng)
    assert found.stopped_by is StoppedBy.MAX_CANDIDATES
    assert found.searched == 500
    assert found.last_window.low > found.false_alarm_floor.high
    assert found.estimate_total.low <= len(dead) <= found.estimate_total.high


def test_a_short_list_is_verified_to_its_end():
    found = search_down(Model(range(25)), SearchPlan(range(50), least=10), np.random.default_rng(0))
    assert found.stopped_by is StoppedBy.END_OF_RANKING
    assert found.estimate_total == Estimate(25, 25, 25)
    assert not found.strata


def test_the_estimate_covers_the_truth_over_many_searches():
    held, repeats = 0, 150
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        ranking, dead = ranking_with([0.5, 0.2, 0.08, 0.05] + [0.02] * 12, 150, rng)
        found = search_down(Model(dead), SearchPlan(ranking, least=50, most=600), rng)
        held += found.estimate_total.low <= len(dead) <= found.estimate_total.high
    assert held / repeats >= 0.93


def test_every_token_has_the_first_reason_it_was_tested_for():
    plan = SearchPlan(
        range(1000),
        least=20,
        controls=[990, 991],
        extra={Role.REQUESTED: [3, 2000], Role.BYTE: [2001], Role.PARTIAL_UTF8: range(3000, 3050)},
        most_per_extra=10,
        audit_sample=30,
    )
    found = search_down(Model(range(5)), plan, np.random.default_rng(0))
    assert found.roles[990] is Role.CONTROL
    assert found.roles[3] is Role.REQUESTED
    assert found.roles[4] is Role.CANDIDATE
    assert found.roles[2001] is Role.BYTE
    assert list(found.roles.values()).count(Role.PARTIAL_UTF8) == 10
    assert found.left_out == {Role.PARTIAL_UTF8: 40}
    audited = [t for t, role in found.roles.items() if role is Role.AUDIT]
    assert 27 <= len(audited) <= 30
    assert min(audited) >= 20


def test_failing_controls_are_said_to_make_the_prompts_unsuitable():
    plan = SearchPlan(range(100), least=10, controls=range(90, 100))
    assert search_down(Model(range(100)), plan, np.random.default_rng(0)).prompts_unsuitable
    passed = search_down(Model([90]), plan, np.random.default_rng(0))
    assert passed.controls_passed == pytest.approx(0.9)
    assert not passed.prompts_unsuitable


@pytest.mark.parametrize("interrupt_after", [0, 1, 3, 7])
@pytest.mark.parametrize("lost", [0, 5])
def test_a_resumed_run_equals_one_that_was_not_interrupted(interrupt_after, lost):
    rng = np.random.default_rng(4)
    ranking, dead = ranking_with([0.8, 0.5] + [0.01] * 8, 300, rng)
    plan = SearchPlan(ranking, least=150, controls=ranking[-5:])
    whole = search_down(Model(dead), plan, np.random.default_rng(9))

    journal: list[TokenEvidence] = []
    with pytest.raises(KeyboardInterrupt):
        search_down(Model(dead, interrupt_after), plan, np.random.default_rng(9), on_result=journal.append)
    # A journal may lose its last lines, in the middle of a block.
    known = {e.token_id: e for e in journal[: len(journal) - lost]}
    resumed_model, resumed_journal = Model(dead), []
    resumed = search_down(
        resumed_model, plan, np.random.default_rng(9), known=known, on_result=resumed_journal.append
    )
    assert resumed == whole
    assert list(resumed.evidence) == list(whole.evidence)
    assert not known.keys() & {e.token_id for e in resumed_journal}
    assert known.keys() | {e.token_id for e in resumed_journal} == whole.evidence.keys()


def test_progress_hears_of_every_token():
    class Face(Progress):
        def open_stage(self, name, total, unit):
            self.last = Stage(name, total, unit)
            return self.last

    face = Face()
    found = search_down(
        Model(range(9)), SearchPlan(range(3000), least=50), np.random.default_rng(0), progress=face
    )
    assert face.last.done == face.last.total == len(found.evidence)
    assert face.seconds["verification"] > 0


def test_tokens_that_cannot_be_put_to_the_model_count_neither_way():
    def verify(tokens):
        return [TokenEvidence.not_encodable(t) for t in tokens]

    found = search_down(verify, SearchPlan(range(40), least=40), np.random.default_rng(0))
    assert {e.verdict for e in found.evidence.values()} == {Verdict.NOT_ENCODABLE}
    assert (found.last_window.low, found.last_window.high) == (0.0, 1.0)


def test_refuses_negative_numbers_and_repeated_tokens():
    with pytest.raises(BadInputError, match="least"):
        search_down(Model([]), SearchPlan([1, 2], least=-1), np.random.default_rng(0))
    with pytest.raises(BadInputError, match="ranking"):
        search_down(Model([]), SearchPlan([1, 1], least=1), np.random.default_rng(0))
