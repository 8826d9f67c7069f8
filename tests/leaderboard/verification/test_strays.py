"""How many replicas may leave all of their reruns by chance."""

from __future__ import annotations

from math import comb

import pytest

from synthbench.leaderboard.verification.agreement import Agreement
from synthbench.leaderboard.verification.strays import FALSE_STRAYS, STRAY, too_many
from synthbench.leaderboard.verification.verify import CellVerdict, failures_over_all


def share(strays: int, replicas: int) -> float:
    """Of honest submissions that have so many, or more: the binomial tail, summed."""
    return sum(
        comb(replicas, k) * STRAY**k * (1 - STRAY) ** (replicas - k)
        for k in range(strays, replicas + 1)
    )


@pytest.mark.parametrize("replicas", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("strays", range(3))
def test_it_is_the_binomial_tail(strays: int, replicas: int) -> None:
    expected = strays > 0 and share(strays, replicas) < FALSE_STRAYS / 8
    assert too_many(strays, replicas, FALSE_STRAYS / 8) == expected


def test_one_proves_nothing_and_the_two_of_a_default_rerun_do() -> None:
    assert not too_many(1, 2, FALSE_STRAYS)
    assert too_many(2, 2, FALSE_STRAYS / 8)
    assert not too_many(2, 16, FALSE_STRAYS / 8) and too_many(3, 16, FALSE_STRAYS / 8)


def verdicts(*strays: int) -> list[CellVerdict]:
    """Of cells with two replicas each, so many of which are strays."""
    return [
        CellVerdict(
            number, (0, 1), Agreement("seed by seed", 0.1, (), strays=("somewhere",) * count)
        )
        for number, count in enumerate(strays, start=1)
    ]


def test_one_here_and_one_there_are_counted_together() -> None:
    assert failures_over_all(verdicts(1, 0, 1, 0, 0, 0, 0, 0)) == []
    (failure,) = failures_over_all(verdicts(1, 0, 1, 0, 0, 1, 0, 0))
    assert failure == (
        "over all cells 3 of 16 replicas leave their reruns where rounding does not carry them; "
        "of honest ones at most 1 in 500 does"
    )
    assert failures_over_all(verdicts(0, 0)) == []
