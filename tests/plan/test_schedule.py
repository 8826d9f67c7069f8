"""Evaluation points and chunks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from synthbench.engine.training.chunks import ChunkSource
from synthbench.plan.schedule import evaluation_steps


@given(last=st.integers(1, 10**6), resolution=st.floats(0.01, 1.0))
def test_points_resolve_time_to_a_step_or_to_the_resolution(last: int, resolution: float) -> None:
    points = evaluation_steps(last, resolution)
    assert points[0] == 0 and points[-1] == last
    for t, u in pairwise(points):
        assert t < u <= max(t + 1, (1 + resolution) * t)


def test_a_longer_budget_keeps_the_earlier_points() -> None:
    assert evaluation_steps(20_000, 0.05)[:150] == evaluation_steps(100_000, 0.05)[:150]


@given(last=st.integers(1, 3000), longest=st.integers(1, 100))
def test_chunks_cover_every_step_once_and_stop_at_points(last: int, longest: int) -> None:
    points, position, seen = evaluation_steps(last, 0.05), 0, []
    source = ChunkSource(points, longest, lambda: position)
    while position < last:
        for start, stop in source:
            assert start == position and 0 < stop - start <= longest
            position = stop
        seen.append(position)
    assert seen == points[1:]
    assert list(source) == []
