"""When replicas stop."""

import numpy as np

from synthbench.engine.training.outcomes import Outcomes


def run(progress: list[list[float]], hold: int = 2, until_solved: bool = True) -> Outcomes:
    outcomes = Outcomes(len(progress[0]), hold, until_solved)
    for index, row in enumerate(np.array(progress, float)):
        outcomes.update(index, row >= 0.9, np.isfinite(row))
    outcomes.finish(len(progress) - 1)
    return outcomes


def test_a_lucky_evaluation_does_not_count() -> None:
    outcomes = run([[0, 0], [1, 1], [0, 1], [1, 1], [1, 1]])
    assert outcomes.solved.tolist() == [True, True]
    assert outcomes.last.tolist() == [4, 2]


def test_an_unconfirmed_hit_at_the_end_is_not_solved() -> None:
    assert run([[0], [0], [1]]).solved.tolist() == [False]


def test_until_budget_keeps_solved_replicas_running() -> None:
    outcomes = run([[1], [1], [0], [0]], until_solved=False)
    assert outcomes.solved.tolist() == [True] and outcomes.last.tolist() == [3]


def test_a_diverged_replica_stops_at_its_last_finite_evaluation() -> None:
    outcomes = run([[0, np.nan], [0, 0], [np.nan, 1], [1, 1]])
    assert outcomes.diverged.tolist() == [True, True]
    assert outcomes.last.tolist() == [1, 0]
    assert not outcomes.solved.any()
