"""The longest length that is solved, as the survival time that it is."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.longest_solved import longest_solved


def met(*replicas: str) -> dict[int, np.ndarray]:
    """Lengths 20, 40 and 80: `x` where a replica solves one."""
    solved = np.array([[sign == "x" for sign in replica] for replica in replicas])
    return dict(zip((80, 20, 40), solved[:, [2, 0, 1]].T, strict=True))


@pytest.mark.parametrize(
    ("replicas", "median"),
    [
        (["x..", "xx.", "xx."], 40),
        (["...", "x..", "xx."], 20),
        (["...", "...", "xxx"], 0),
        # Solved again beyond a length that is not: what lies between counts.
        (["x.x", "x.x", ".xx"], 20),
        # Half of them are censored at 80, so the median is beyond it.
        (["x..", "xxx", "xxx"], None),
        (["xxx", "xxx", "xxx"], None),
    ],
)
def test_medians_by_hand(replicas: list[str], median: float | None) -> None:
    found = longest_solved(met(*replicas))
    assert (found.length.value, found.tested) == (median, 80)


def test_the_interval_is_that_of_a_survival_curve() -> None:
    """Of 40 replicas that stop at 20 or 40, the interval has both or one of the lengths."""
    found = longest_solved(met(*["x.."] * 24, *["xx."] * 16))
    assert (found.length.low, found.length.value, found.length.high) == (20, 20, 40)
