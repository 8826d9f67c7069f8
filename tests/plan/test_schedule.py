"""Points of evaluation."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from synthbench.plan.schedule import evaluation_steps


@given(last=st.integers(1, 10**6), resolution=st.floats(0.01, 1.0))
def test_points_resolve_time_to_a_step_or_to_the_resolution(last: int, resolution: float) -> None:
    points = evaluation_steps(last, resolution)
    assert points[0] == 0 and points[-1] == last
    for t, u in pairwise(points):
        assert t < u <= max(t + 1, (1 + resolution) * t)


def test_a_longer_budget_keeps_the_earlier_points() -> None:
    assert evaluation_steps(20_000, 0.05)[:150] == evaluation_steps(100_000, 0.05)[:150]
