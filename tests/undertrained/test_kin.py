"""Kin against an obvious count of near pairs, and what is read of them against the plain procedure."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.schema.words import Role, Verdict
from forensics.undertrained.kin import KIN_TOLERANCE, READ_AT_LEAST, READ_ONE_IN, Rows
from forensics.undertrained.plain_verification import verify_plainly
from forensics.undertrained.tally import KinTally, tally
from forensics.undertrained.token_evidence import TokenEvidence
from forensics.undertrained.verification import Verifier
from tests.extras import need
from tests.undertrained.test_verification import PROBES, PROMPTS, VOCABULARY, Copier, decode

torch = need("torch")

#: Tokens whose rows differ by a thousandth, among ordinary ones.
TWINS = tuple(range(30, 54))


class TwinCopier(Copier):
    """A copier that does not say `TWINS`, which have nearly one row, but for those of `late` in `repeat`."""

    def __init__(self, late: frozenset[int] = frozenset()):
        super().__init__(set(TWINS))
        self.late = late
        rows = torch.tensor(np.random.default_rng(0).normal(size=(VOCABULARY, 16)), dtype=torch.float32)
        rows[list(TWINS)] = rows[TWINS[0]] + 0.001 * rows[list(TWINS)]
        self.table = torch.nn.Embedding(VOCABULARY, 16, _weight=rows)

    def forward(self, input_ids, use_cache=False):
        answer = super().forward(input_ids, use_cache)
        for row, ids in enumerate(input_ids.tolist()):
            if len(ids) > 20:  # `repeat` from its middle on
                answer.logits[row, :, list(self.late)] = 16.0
        return answer


def model_of(*matrices):
    tables = [torch.nn.Embedding(*matrix.shape, _weight=matrix) for matrix in matrices]
    return SimpleNamespace(
        get_input_embeddings=lambda: tables[0],
        get_output_embeddings=lambda: tables[-1] if len(tables) > 1 else None,
    )


def test_kin_are_near_in_every_matrix():
    rng = np.random.default_rng(3)
    one, two = (torch.tensor(rng.normal(size=(400, 12)), dtype=torch.float32) for _ in range(2))
    one[:60], two[:40] = one[0] + 0.02 * one[:60], two[0] + 0.02 * two[:40]
    one[5] = math.nan
    tokens = [int(t) for t in rng.permutation(200)]
    (group,) = Rows(model_of(one, two)).kin(tokens)
    assert {*group.readers, *group.others} == set(range(40)) - {5}
    order = {token: place for place, token in enumerate(tokens)}
    assert group.readers[0] == min((*group.readers, *group.others), key=order.__getitem__)
    assert len(group.readers) == max(READ_AT_LEAST, -(-39 // READ_ONE_IN))
    assert not set(group.readers) & set(group.others)


def test_near_is_measured_by_the_spread_of_all_rows():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(500, 8)) + 30  # far from the origin, which must not matter
    spread = math.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean())
    direction = np.eye(8)[0]
    for factor, is_kin in ((0.99, True), (1.01, False)):
        rows[1:6] = rows[0] + factor * KIN_TOLERANCE * spread * direction
        spread = math.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean())
        rows[1:6] = rows[0] + factor * KIN_TOLERANCE * spread * direction
        groups = Rows(model_of(torch.tensor(rows))).kin(range(6))
        sizes = [len(group.readers) + len(group.others) for group in groups]
        assert sizes == ([6] if is_kin else [5])  # the five copies are kin of each other in any case


def test_few_tokens_have_nobody_speak_for_them():
    assert Rows(model_of(torch.ones(20, 4))).kin(range(READ_AT_LEAST)) == []
    assert Rows(model_of(torch.randn(20, 4))).kin(range(20)) == []


def test_some_are_read_to_the_end_for_all():
    verifier = Verifier(TwinCopier(), PROMPTS, decode, probes=PROBES)
    found = verifier.verify([*range(20, 30), *TWINS])
    verified = [e for e in found if e.verdict.is_verified]
    assert [e.token_id for e in verified] == list(TWINS)
    assert {e.kin for e in verified} == {TWINS[0]}
    read = [e for e in verified if not e.max_prob_is_bound]
    assert len(read) == READ_AT_LEAST
    assert all(p.complete for e in read for p in e.prompts)
    spoken_for = [e for e in verified if e.is_spoken_for]
    assert spoken_for == [e for e in verified if e.max_prob_is_bound]
    assert {len(e.prompts) for e in spoken_for} == {len(PROBES) + 1}
    assert TokenEvidence.from_json(spoken_for[0].to_json()) == spoken_for[0]
    assert all(e.kin is None for e in found if not e.verdict.is_verified)


def test_the_tally_counts_who_was_read_and_who_spoken_for():
    for late, expected in ((frozenset(), (1, 4, 0, 20)), (frozenset({TWINS[0]}), (1, 24, 1, 0))):
        found = Verifier(TwinCopier(late), PROMPTS, decode, probes=PROBES).verify([20, *TWINS])
        result = SimpleNamespace(
            evidence={e.token_id: e for e in found}, roles={e.token_id: Role.CANDIDATE for e in found}
        )
        rows = np.arange(VOCABULARY)
        findings = SimpleNamespace(representative=rows, is_representative=rows == rows)
        assert tally(result, findings).kin == KinTally(*expected)


@pytest.mark.parametrize("late", [{TWINS[0]}, set(TWINS[3:])])
def test_a_reader_who_shows_itself_sends_all_through_the_prompts(late):
    model = TwinCopier(frozenset(late))
    found = Verifier(model, PROMPTS, decode, probes=PROBES).verify(TWINS)
    for evidence in found:
        plain = verify_plainly(model, (*PROBES, *PROMPTS), evidence.token_id, decode)
        assert evidence.verdict is plain.verdict
        assert (evidence.verdict is Verdict.VERIFIED_STRONG) == (evidence.token_id not in late)
        assert evidence.kin == TWINS[0]
        assert not evidence.is_spoken_for
        assert evidence.max_prob_is_bound <= (evidence.verdict is Verdict.REJECTED)


def test_nobody_speaks_without_probes_or_where_it_is_switched_off():
    for verifier in (
        Verifier(TwinCopier(), PROMPTS, decode),
        Verifier(TwinCopier(), PROMPTS, decode, probes=PROBES, quiet_below=0.0),
    ):
        assert all(e.kin is None and not e.max_prob_is_bound for e in verifier.verify(TWINS))
