"""What replicas came to in several trainings: times and last values, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.leaderboard.verification.agreement import Agreement
from synthbench.leaderboard.verification.outcomes import (
    FALSE_POOLED_TIMES,
    Outcomes,
    direction,
    times_p_value,
)
from synthbench.leaderboard.verification.verify import CellVerdict, failures_over_all
from synthbench.metrics.time_to_target import Target
from tests.leaderboard.verification.curves import BATCH, trajectories

TARGET = Target(progress=0.5, hold=2, budget=200)


def solving(*places: int | None, last: float = 1.0):
    """Replicas of 20 evaluations whose progress jumps to 1 at a place, or never."""
    grid = np.arange(20)
    return trajectories(
        *(
            {
                "progress": np.zeros(20) if place is None else (grid >= place) * 1.0,
                "curve/x": np.stack([grid * last, grid * last + 2], axis=1),
            }
            for place in places
        )
    )


def test_times_and_last_values() -> None:
    found = Outcomes.of((solving(3, None), solving(4, 5, last=2.0)), TARGET)
    assert found.times.tolist() == [[3 * BATCH, 4 * BATCH], [np.inf, 5 * BATCH]]
    assert found.finals["progress"].tolist() == [[1, 1], [0, 1]]
    assert found.finals["curve/x"].tolist() == [[20, 39], [20, 39]], "the mean over its places"


def test_one_evaluation_earlier_in_all_replicas_is_seen() -> None:
    places = [5, 7, 9, 11, 6, 8, 10, 12]
    others = [solving(*places) for _ in range(3)]
    assert Outcomes.of((solving(*places), *others), TARGET).failures(1) == []
    early = solving(*[place - 1 for place in places])
    (failure,) = Outcomes.of((early, *others), TARGET).failures(1)
    assert failure.startswith("the times to target are 12% shorter than those of the same seeds")
    assert "p = 3e-05" in failure
    assert Outcomes.of((early, *others), TARGET).failures(8) == [], "Bonferroni"


def test_censored_ones_are_the_latest() -> None:
    solved, never = solving(*[5] * 8), solving(*[None] * 8)
    assert any("times" in f for f in Outcomes.of((solved, never, never, never), TARGET).failures(1))
    late = times_p_value(np.array([[1.0, np.inf], [1.0, 2.0]]))
    assert late == 0.5, "two replicas, both earlier: two of four ways"
    assert times_p_value(np.full((5, 4), np.inf)) == 1


def test_better_last_values_are_seen() -> None:
    others = [solving(*range(3, 11)) for _ in range(3)]
    (failure,) = Outcomes.of((solving(*range(3, 11), last=0.9), *others), TARGET).failures(1)
    assert failure.startswith("the last values of curve/x differ from those of the same seeds")


def test_a_kernel_that_always_rounds_up_is_no_forgery() -> None:
    places = [5] * 40
    here, *others = (solving(*places, last=last) for last in (1.0, 1.01, 0.99))
    claimed = solving(*places, last=1.0 + 1e-7)
    assert Outcomes.of((claimed, here, *others), TARGET).failures(1) == []
    one_sided = solving(*places, last=1.001)
    assert Outcomes.of((one_sided, here, here, others[1]), TARGET).failures(1)


def test_the_direction() -> None:
    times = np.array([[90.0, 100, 100], [np.inf, 5, 5], [180, 200, np.inf]])
    assert direction(times) == "10% shorter"
    assert direction(times[:, [1, 0]]) == "11% longer"
    assert direction(times[1:2]) == direction(np.ones((2, 3))) == "other"


def test_what_no_cell_shows_is_seen_over_all() -> None:
    times = np.tile([95.0, 100.0, 100.0, 100.0], (4, 1))
    cells = [
        CellVerdict(number, (0, 1, 2, 3), Agreement("seed by seed", 0.1, (), times))
        for number in (1, 2)
    ]
    assert times_p_value(times) > 2e-4
    (failure,) = failures_over_all(cells)
    assert failure.startswith("over all cells the times to target are 5% shorter")
    assert failures_over_all(cells[:1]) == []
    assert failures_over_all([CellVerdict(1, (0,), Agreement("identical", 0.0, ()))]) == []
    assert pytest.approx(2 * 4.0**-8) == times_p_value(np.concatenate([times, times]))
    assert 2 * 4.0**-8 < FALSE_POOLED_TIMES
