"""Where a curve leaves its rerun: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.leaderboard.verification.parting import GROWN, LOSSES, departures
from tests.leaderboard.verification.curves import trajectories

RAMP = np.linspace(1.0, 0.0, 21)
SAMPLES = 200


def excess(claimed, again, *nudged, column: str = "loss") -> float:
    made = [trajectories({column: values}) for values in (claimed, again, *nudged)]
    (found,) = departures(made[0], made[1], made[2:], SAMPLES)
    return found.excess


def bumped(size: float, place: int = 10) -> np.ndarray:
    return RAMP + size * (np.arange(21) == place)


def test_without_other_last_bits_a_share_of_the_range_is_allowed() -> None:
    assert excess(RAMP, RAMP) == 0
    assert excess(bumped(LOSSES / 2), RAMP) == pytest.approx(0.5)
    # One sample in 200 that falls on the other side is no forgery of a score.
    assert excess(bumped(0.01), RAMP, column="accuracy") == pytest.approx(0.5)
    assert excess(bumped(0.01), RAMP, column="accuracy@b") == pytest.approx(0.5)
    assert excess(bumped(0.01), RAMP, column="loss@b") == pytest.approx(0.01 / LOSSES)


def test_the_place_and_the_column_are_named() -> None:
    again = trajectories({"loss": RAMP, "x/y": RAMP}, {"loss": RAMP, "x/y": RAMP})
    claimed = trajectories(
        {"loss": RAMP, "x/y": RAMP}, {"loss": bumped(0.001, 3), "x/y": bumped(0.5, 7)}
    )
    first, second = departures(claimed, again, (), SAMPLES)
    assert (first.excess, second.replica, second.column, second.step) == (0, 1, "x/y", 7)
    assert second.share == pytest.approx(0.5)


def test_rounding_allows_what_it_carries_and_only_around_there() -> None:
    size = 0.01
    nudged = bumped(size, 10)
    allowed = LOSSES + GROWN * size
    for place, explained in ((5, False), (8, True), (10, True), (14, True), (15, False)):
        found = excess(bumped(0.9 * allowed, place), RAMP, nudged)
        assert (found < 1) == explained, place
        assert excess(bumped(1.1 * allowed, place), RAMP, nudged) > 1
    # The two with other last bits may be further apart than either is from the rerun.
    assert excess(bumped(1.5 * allowed), RAMP, nudged, bumped(-size)) < 1


def test_ends_and_gaps() -> None:
    gap = np.where(np.arange(21) == 4, np.nan, RAMP)
    assert excess(gap, gap) == 0
    assert excess(gap, RAMP) == np.inf == excess(RAMP, gap)
    assert excess(gap, RAMP, gap) <= 1, "rounding does that too"
    # One with other last bits ends earlier, so from there on nothing is known.
    late = bumped(0.9, 19)
    assert excess(late, RAMP) > 1 and excess(late, RAMP, RAMP[:-1]) <= 1
    assert excess(bumped(0.9, 5), RAMP, RAMP[:-1]) > 1
    assert excess(RAMP[:-3], RAMP) == 0 == excess(RAMP, RAMP[:-3]), "what both have is compared"


def test_every_place_of_a_curve_is_compared() -> None:
    again = np.stack([RAMP, 2 * RAMP], axis=1)
    claimed = again.copy()
    claimed[10, 1] += 0.5
    assert excess(again, again, column="x/y") == 0
    assert excess(claimed, again, column="x/y") == pytest.approx(0.25 / 0.06)
