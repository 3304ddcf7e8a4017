"""The linear program against brute force, all rows at once, and another solver."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from forensics.errors import BadInputError
from forensics.mixture import linear_program
from forensics.mixture.counts import pair_events
from forensics.mixture.linear_program import HighsMaster, solve_program
from forensics.mixture.pair_spelling import spell_words
from forensics.mixture.pair_table import PairTable, build_pair_table
from forensics.mixture.pulp_program import PulpMaster, pulp_solver
from forensics.progress import Progress
from forensics.vocabulary.merge_list import build_merge_list
from tests.mixture import oracle

Case = tuple[np.ndarray, PairTable, list[list[dict[tuple[str, str], int]]], list[tuple[str, str]], np.ndarray]


class Recorded(Progress):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def warn(self, message: str) -> None:
        self.said.append(message)


def random_case(categories: int, seed: int) -> Case:
    """Return counts of a list learned on one text in other texts, and the recounts behind them."""
    generator = np.random.default_rng(seed)

    def text() -> dict[str, int]:
        letters = generator.dirichlet(np.ones(4))
        words = (
            "".join(generator.choice(list("abcd"), p=letters, size=int(n)))
            for n in generator.integers(2, 7, 25)
        )
        return {word: int(generator.integers(1, 20)) for word in words}

    texts = [text() for _ in range(categories)]
    mixed: dict[str, int] = {}
    for part, weight in zip(texts, generator.integers(1, 6, categories).tolist(), strict=True):
        for word, count in part.items():
            # The tokenizer saw another sample of the same words: no mixture explains its list exactly.
            mixed[word] = mixed.get(word, 0) + weight * count * int(generator.integers(0, 5))
    merges = build_merge_list(oracle.train(mixed, 12), list("abcd"))
    pairs = [merges.pair(step) for step in range(len(merges))]
    recounts = [oracle.replay(part, pairs)[0] for part in texts]
    sizes = np.array([spell_words(part, merges).pairs for part in texts], dtype=float)
    W = np.array([[r[step][pair] for r in recounts] for step, pair in enumerate(pairs)]) / sizes
    table = build_pair_table(
        [pair_events(spell_words(part, merges), merges) for part in texts], sizes, len(merges)
    )
    return W, table, recounts, pairs, sizes


def rows_of(case: Case, skip: int = 0) -> list[tuple[int, tuple[str, str], np.ndarray]]:
    """Return every row of the program: step, pair, lead by category."""
    W, _, recounts, pairs, sizes = case
    rows = []
    for step in range(skip, len(pairs)):
        if W[step].sum() == 0:
            continue
        for pair in sorted(set().union(*(r[step] for r in recounts)) - {pairs[step]}):
            rows.append((step, pair, W[step] - np.array([r[step][pair] for r in recounts]) / sizes))
    return rows


def all_rows_optimum(case: Case, skip: int = 0) -> float:
    """Return the optimum of the program with every row, solved at once by scipy."""
    rows = rows_of(case, skip)
    n = case[0].shape[1]
    steps, names = sorted({s for s, _, _ in rows}), sorted({p for _, p, _ in rows})
    A = np.zeros((len(rows), n + len(steps) + len(names)))
    for at, (step, pair, lead) in enumerate(rows):
        A[at, :n] = lead
        A[at, n + steps.index(step)] = A[at, n + len(steps) + names.index(pair)] = 1
    whole = np.concatenate([np.ones(n), np.zeros(A.shape[1] - n)])
    solved = linprog(1 - whole, A_ub=-A, b_ub=np.zeros(len(rows)), A_eq=whole[None], b_eq=[1])
    return float(solved.fun)


def least_slack(case: Case, alpha: np.ndarray) -> float:
    """Return the least total slack for fixed proportions, by a program in the slacks alone."""
    rows = rows_of(case)
    steps, names = sorted({s for s, _, _ in rows}), sorted({p for _, p, _ in rows})
    A = np.zeros((len(rows), len(steps) + len(names)))
    for at, (step, pair, _) in enumerate(rows):
        A[at, steps.index(step)] = A[at, len(steps) + names.index(pair)] = 1
    short = np.array([-lead @ alpha for _, _, lead in rows])
    return float(linprog(np.ones(A.shape[1]), A_ub=-A, b_ub=-short).fun)


@pytest.mark.parametrize(("categories", "seed"), list(product([2, 3], range(4))))
def test_rows_found_as_needed_reach_the_optimum_of_all_rows(categories: int, seed: int) -> None:
    case = random_case(categories, seed)
    W, table = case[:2]
    fit = solve_program(W, table, HighsMaster(), gap=0)
    assert fit.objective == pytest.approx(all_rows_optimum(case), abs=1e-6)
    assert fit.objective > 1e-3, "a case without slack tests nothing"
    assert fit.alpha.sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_the_slacks_make_every_row_hold(seed: int) -> None:
    case = random_case(3, seed)
    W, table, _, pairs, _ = case
    fit = solve_program(W, table, HighsMaster(), gap=0)
    letters = {letter: at for at, letter in enumerate("abcd")}
    letters |= {a + b: 4 + step for step, (a, b) in enumerate(pairs)}
    number = {key: at for at, key in enumerate(table.keys.tolist())}
    for step, (a, b), lead in rows_of(case):
        pair = number[letters[a] << 32 | letters[b]]
        assert lead @ fit.alpha + fit.merge_slack[step] + fit.pair_slack[pair] >= -1e-7, (step, a, b)
    assert fit.merge_slack.sum() + fit.pair_slack.sum() == pytest.approx(fit.objective)


@pytest.mark.parametrize("corner", range(3))
def test_the_box_around_a_bad_start_is_left(corner: int) -> None:
    case = random_case(3, 5)
    fit = solve_program(case[0], case[1], HighsMaster(), start=np.eye(3)[corner], gap=0)
    assert fit.objective == pytest.approx(all_rows_optimum(case), abs=1e-6)
    assert fit.gap == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_a_search_stopped_early_states_how_far_off_it_can_be(seed: int) -> None:
    case = random_case(3, seed)
    fit = solve_program(case[0], case[1], HighsMaster(), gap=0.5)
    assert fit.objective <= all_rows_optimum(case) + 1e-9
    assert least_slack(case, fit.alpha) <= fit.objective * (1 + fit.gap) + 1e-9


def test_a_search_without_enough_rounds_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(3, 5)
    monkeypatch.setattr(linear_program, "MOST_ROUNDS", 2)
    monkeypatch.setattr(linear_program, "RIVALS", 1)
    progress = Recorded()
    fit = solve_program(case[0], case[1], HighsMaster(), gap=0, progress=progress)
    assert fit.gap > 1e-3
    assert [warning.startswith("the linear program was stopped after 2 rounds") for warning in progress.said]
    assert least_slack(case, fit.alpha) <= fit.objective * (1 + fit.gap) + 1e-9


@pytest.mark.parametrize("skip", [1, 5, 11])
def test_merges_skipped_have_no_rows(skip: int) -> None:
    case = random_case(3, 2)
    fit = solve_program(case[0], case[1], HighsMaster(), skip=skip, gap=0)
    assert fit.objective == pytest.approx(all_rows_optimum(case, skip), abs=1e-6)
    assert not fit.merge_slack[:skip].any()


def test_nothing_to_explain_leaves_the_start() -> None:
    W, table = random_case(2, 0)[:2]
    fit = solve_program(W, table, HighsMaster(), skip=len(W), start=np.array([0.3, 0.7]))
    assert (fit.alpha.tolist(), fit.objective, fit.gap) == ([0.3, 0.7], 0.0, 0.0)


@pytest.mark.parametrize("categories", [2, 3])
def test_no_point_of_a_grid_over_the_proportions_is_better(categories: int) -> None:
    case = random_case(categories, 11)
    W, table = case[:2]
    fit = solve_program(W, table, HighsMaster(), gap=0)
    grid = [np.array(g) / 10 for g in product(range(11), repeat=categories) if sum(g) == 10]
    assert least_slack(case, fit.alpha) == pytest.approx(fit.objective, abs=1e-6)
    assert min(least_slack(case, alpha) for alpha in grid) >= fit.objective - 1e-9


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_both_formulations_agree(solver: str, tmp_path: Path) -> None:
    W, table = random_case(3, 5)[:2]
    direct = solve_program(W, table, HighsMaster(), gap=0)
    try:
        master = PulpMaster(pulp_solver(solver))
    except BadInputError:
        pytest.skip(f"PuLP finds no {solver} here")
    through_pulp = solve_program(W, table, master, gap=0)
    assert through_pulp.objective == pytest.approx(direct.objective, abs=1e-6)
    for suffix in ("lp", "mps"):
        master.write(tmp_path / f"mixture.{suffix}")
        assert "alpha_0" in (tmp_path / f"mixture.{suffix}").read_text()


def test_an_unknown_solver_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInputError, match=r"PuLP has no solver 'nonesuch'.*available: highs"):
        pulp_solver("nonesuch")


def test_a_table_gives_back_the_counts_of_every_step() -> None:
    W, table, recounts, pairs, sizes = random_case(2, 3)
    alpha = np.array([0.25, 0.75])
    values, by_category = table.values(alpha), table.counts(np.arange(len(table.start)))
    assert np.allclose(by_category @ alpha, values)
    for step, pair in enumerate(pairs):
        expected = sum(a * r[step][pair] / s for a, r, s in zip(alpha, recounts, sizes, strict=True))
        assert np.isclose(
            values[(table.start <= step) & (step < table.stop)].max(),
            max(
                sum(a * r[step][p] / s for a, r, s in zip(alpha, recounts, sizes, strict=True))
                for p in set().union(*(r[step] for r in recounts))
            ),
        ), step
        assert np.isclose(W[step] @ alpha, expected)
