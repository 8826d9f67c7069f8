"""Chunks of steps between points of evaluation."""

from hypothesis import given
from hypothesis import strategies as st

from synthbench.engine.training.chunks import ChunkSource
from synthbench.plan.schedule import evaluation_steps


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
