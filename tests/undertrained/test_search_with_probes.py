"""The search with a probed sample: against simulated vocabularies, and on the recorded truth of SmolLM2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from forensics.progress import Progress
from forensics.schema.words import Role, Verdict
from forensics.undertrained.probe_cascade import CascadeReading
from forensics.undertrained.probed_sample import (
    BLOCK,
    ProbedBlock,
    Probing,
    default_sample_size,
    probe_sample,
)
from forensics.undertrained.search_down import search_down
from forensics.undertrained.search_plan import SearchPlan, StoppedBy
from forensics.undertrained.token_evidence import PromptEvidence, TokenEvidence

NAMES = ("probe_equals", "probe_tab")


class Engine:
    """A model that fails the first probe for `shy` tokens, both for `dead` ones, which alone verify."""

    def __init__(self, dead, shy=(), near=(), hidden=()):
        self.dead, self.shy, self.near, self.hidden = map(set, (dead, shy, near, hidden))
        self.probed: list[int] = []
        self.verified: list[int] = []
        self.past: list[int] = []

    def first_p(self, token):
        if token in self.dead | self.shy:
            return 1e-4
        return 0.15 if token in self.near else 0.7

    def probe(self, tokens, leave_at):
        self.probed += tokens
        p = np.array([[self.first_p(t), 1e-4 if t in self.dead else 0.7] for t in tokens], dtype=np.float32)
        p = p.reshape(len(tokens), 2)
        p[p[:, 0] >= leave_at, 1] = np.nan
        return CascadeReading(NAMES, np.log(p), np.where(np.isnan(p), -1, 0))

    def evidence(self, token):
        p = 1e-4 if token in self.dead | self.hidden else 0.9
        probes = [PromptEvidence(NAMES[0], (self.first_p(token),), (0,), "")]
        return TokenEvidence.from_prompts(token, [*probes, PromptEvidence("repeat", (p,), (0,), "")])

    def verify(self, tokens):
        self.verified += tokens
        return [self.evidence(t) for t in tokens]

    def verify_past(self, tokens):
        self.past += tokens
        return [self.evidence(t) for t in tokens]

    def probing(self, sample=None, **more):
        return Probing(self.probe, self.verify_past, sample, **more)


def numbers(result):
    return {t: e.to_json() for t, e in result.evidence.items()}, result.two_phase


def test_only_what_the_probes_leave_open_goes_through_the_prompts():
    engine = Engine(dead=range(0, 3000, 100), shy=range(1, 3000, 50))
    plan = SearchPlan(range(3000), least=40, audit_sample=0)
    found = search_down(engine.verify, plan, np.random.default_rng(0), probing=engine.probing())
    assert found.stopped_by is StoppedBy.CENSUS
    assert sorted(engine.probed) == list(range(40, 3000))
    assert set(engine.verified) == {*range(40), *range(100, 3000, 100)}
    assert found.two_phase.method == "census"
    assert found.two_phase.open_after == (29 + 59, 29)
    assert found.estimate_total.value == found.estimate_total.high == 30
    assert found.two_phase.recall().value == pytest.approx(1 / 30)
    assert {t for t, role in found.roles.items() if role is Role.SAMPLE} == set(range(100, 3000, 100))


def test_the_probe_column_holds_what_every_token_showed():
    engine = Engine(dead=[70], near=[80])
    plan = SearchPlan(range(100), least=10, audit_sample=0)
    p = search_down(engine.verify, plan, np.random.default_rng(0), probing=engine.probing()).probe_p(120)
    assert p[[5, 70, 80]] == pytest.approx([0.7, 1e-4, 0.15])
    assert np.isnan(p[100:]).all()


def test_half_of_the_audit_lies_near_the_threshold_and_goes_past_the_probes():
    engine = Engine(dead=[], near=range(500, 600), hidden=range(500, 600))
    plan = SearchPlan(range(2000), least=100, audit_sample=40)
    found = search_down(engine.verify, plan, np.random.default_rng(0), probing=engine.probing(1500))
    assert len(engine.past) == 40
    assert len(engine.near.intersection(engine.past)) >= 20
    # The prompts alone would verify these, and the probe says otherwise: the bound must tell.
    assert found.two_phase.checked_above_threshold == 40
    assert found.two_phase.missed_above_threshold_upper > 1900 * 0.4


def test_false_alarms_are_told_apart_by_class():
    engine = Engine(dead=range(900, 1000))
    plan = SearchPlan(range(1000), least=0, audit_sample=0, lettered=range(950))
    found = search_down(engine.verify, plan, np.random.default_rng(0), probing=engine.probing())
    floors = {f.name: (f.tested, f.verified) for f in found.two_phase.floors}
    assert floors == {"with a letter or digit": (950, 50), "without": (50, 50)}


def test_an_interrupted_run_that_is_resumed_gives_the_same():
    plan = SearchPlan(range(4000), least=100, audit_sample=20)
    whole_engine = Engine(dead=range(0, 4000, 40))
    blocks: list[ProbedBlock] = []
    results: list[TokenEvidence] = []
    whole = search_down(
        whole_engine.verify,
        plan,
        np.random.default_rng(3),
        probing=whole_engine.probing(2000, on_block=blocks.append),
        on_result=results.append,
    )
    kept = [ProbedBlock.from_json(json.loads(json.dumps(b.to_json()))) for b in blocks[:2]]
    engine = Engine(dead=range(0, 4000, 40))
    again = search_down(
        engine.verify,
        plan,
        np.random.default_rng(3),
        probing=engine.probing(2000, known={b.tokens[0]: b for b in kept}),
        known={e.token_id: e for e in results[:150]},
    )
    assert numbers(again) == numbers(whole)
    assert len(engine.probed) == 2000 - 2 * BLOCK


def test_the_cost_is_told_before_most_of_it_is_paid():
    class Listener(Progress):
        notes: list[str] = []  # noqa: RUF012

        def note(self, message):
            self.notes.append(message)

    engine = Engine(dead=[])
    probe_sample(range(3 * BLOCK), engine.probing(), Listener())
    assert len(Listener.notes) == 1
    assert f"{3 * BLOCK:,} tokens" in Listener.notes[0]


def test_small_models_and_accelerators_take_the_whole_vocabulary():
    assert default_sample_size(rest=48_000, parameters=10_000_000, on_cpu=True) is None
    assert default_sample_size(rest=150_000, parameters=494_000_000, on_cpu=True) == 8000
    assert default_sample_size(rest=150_000, parameters=494_000_000, on_cpu=False) is None


@pytest.fixture(scope="module")
def settled():
    """SmolLM2's rankable tokens in the order of its indicator, and what is recorded of those left open."""
    file = Path(__file__).parents[1] / "data" / "smollm2_settled.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    rows = {row[0]: dict(zip(data["columns"], row, strict=True)) for row in data["rows"]}
    filler = (t for t in range(60_000) if t not in rows)
    ranking = [next(filler) for _ in range(data["rankable"] - len(rows))]
    for token, row in sorted(rows.items(), key=lambda item: item[1]["rank"]):
        ranking.insert(row["rank"] - 1, token)
    return ranking, rows


class Recorded(Engine):
    def __init__(self, rows):
        super().__init__(dead=rows)
        self.rows = rows

    def evidence(self, token):
        p = self.rows[token]["max_prob"] if token in self.rows else 0.9
        return TokenEvidence.from_prompts(token, [PromptEvidence("repeat", (p,), (0,), "")])


def test_the_recorded_truth_is_in_the_interval_of_nearly_every_seed(settled):
    ranking, rows = settled
    verified = {t for t, row in rows.items() if Verdict(row["verdict"]).is_verified}
    assert len(verified) == 42
    held, upper = [], []
    for seed in range(100):
        engine = Recorded(rows)
        # The search down the list is left out (`most`), so that the sample alone must do.
        plan = SearchPlan(ranking, least=974, most=974, audit_sample=0)
        found = search_down(engine.verify, plan, np.random.default_rng(seed), probing=engine.probing(8000))
        assert len(found.two_phase.counted) == 18
        held.append(found.estimate_total.low <= 42 <= found.estimate_total.high)
        upper.append(found.estimate_total.high)
    assert sum(held) >= 93
    assert np.median(upper) <= 100


def test_a_census_of_the_recorded_truth_counts_it(settled):
    ranking, rows = settled
    engine = Recorded(rows)
    plan = SearchPlan(ranking, least=974, audit_sample=0)
    found = search_down(engine.verify, plan, np.random.default_rng(0), probing=engine.probing())
    assert found.estimate_total.value == found.estimate_total.low == 42
    assert found.two_phase.recall().value == pytest.approx(18 / 42)
    cleared = {t for t, row in rows.items() if row["cleared_by_context"]}
    assert found.two_phase.total(without=cleared).value == 26
