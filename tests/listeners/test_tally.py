"""The work that is left, and how long it takes at most."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import synthbench as sb
from synthbench.listeners.listener import BlockProgress, PlannedCell
from synthbench.listeners.pace import FADING, RECENT_SECONDS, Pace
from synthbench.listeners.tally import Tally
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from tests.listeners.test_progress import Clock, progress


@pytest.fixture
def clock() -> Clock:
    return Clock()


def started(cell: sb.Cell, clock: Clock, finished: int = 0) -> Tally:
    tally = Tally(clock)
    tally.plan([PlannedCell(cell, 100, finished)])
    tally.start(cell)
    return tally


def test_a_pace_is_that_of_late() -> None:
    pace = Pace()
    assert pace.recent is None and pace.best is None
    pace.add(10, 40)
    assert pace.recent == pace.best == 4
    pace.add(10, 10)
    kept = math.exp(-10 / RECENT_SECONDS) * 0.5**FADING
    assert pace.recent == pytest.approx((40 * kept + 10) / (10 * kept + 10)) == pace.best
    pace.add(1, 100)
    assert pace.recent is not None and pace.best == 150 / 21 < pace.recent


def test_blocks_add_up(small_cell: sb.Cell, clock: Clock) -> None:
    """400 steps for each of 6 replicas, 4 and then 2 at once; a solved one stops."""
    tally = started(small_cell, clock)
    cell = tally.of(small_cell)
    assert (cell.left, cell.seconds_left) == (2400, None)
    for steps, solved, earlier, replicas, done, left in (
        (0, 0, 0, 4, 0, 2400),
        (100, 0, 0, 4, 400, 2000),
        (100, 1, 0, 4, 400, 1700),
        (400, 1, 0, 4, 1300, 800),
        (400, 4, 0, 4, 1300, 800),
        (0, 0, 4, 2, 1300, 800),
        (100, 0, 4, 2, 1500, 600),
    ):
        tally.advance(progress(small_cell, steps, solved, earlier=earlier, replicas=replicas))
        assert (cell.done, cell.left) == (done, left)
        assert cell.share == done / (done + left)
    assert cell.solved == 4


def test_time_is_counted_for_the_replicas_that_still_run(small_cell: sb.Cell, clock: Clock) -> None:
    tally = started(small_cell, clock)
    cell = tally.of(small_cell)
    tally.advance(progress(small_cell, 0))
    clock.now += 6
    tally.advance(progress(small_cell, 100))
    assert cell.seconds_left == 18 and cell.rate == 100
    tally.advance(progress(small_cell, 100, solved=3))
    assert cell.seconds_left == pytest.approx(9), "half of them have stopped"
    assert tally.seconds_left == cell.seconds_left


def test_evaluations_that_are_left_are_counted(small_cell: sb.Cell, clock: Clock) -> None:
    tally = started(small_cell, clock)
    tally.advance(progress(small_cell, 100))
    clock.now += 1
    tally.advance(progress(small_cell, 200))
    clock.now += 3
    tally.advance(progress(small_cell, 200))
    points = [p for p in evaluation_steps(400, small_cell.protocol.resolution) if p > 200]
    assert tally.seconds_left == pytest.approx(2 + 3 * len(points))


def test_an_earlier_session_does_not_count_for_the_pace(small_cell: sb.Cell, clock: Clock) -> None:
    tally = started(small_cell, clock, finished=4)
    assert tally.of(small_cell).left == 800
    tally.advance(progress(small_cell, 100, earlier=4, replicas=2))
    clock.now += 2
    tally.advance(progress(small_cell, 200, earlier=4, replicas=2))
    assert tally.of(small_cell).rate == 100 and tally.seconds_left == 4
    assert tally.share == 2000 / 2400


def test_a_block_that_starts_again_in_less_memory_counts_once(
    small_cell: sb.Cell, clock: Clock
) -> None:
    tally = started(small_cell, clock)
    cell = tally.of(small_cell)
    tally.advance(progress(small_cell, 300))
    tally.advance(progress(small_cell, 100, replicas=3))
    assert (cell.done, cell.left) == (300, 900 + 1200)


def waiting(cell: sb.Cell, clock: Clock, *flops: int) -> tuple[Tally, list[sb.Cell]]:
    """A tally of cells that take so many FLOPs a step, the first one begun 2 s ago."""
    cells = [replace(cell, task=installed().task(f"sparse-parity n={10 + i} k=2"))
             for i in range(len(flops))]  # fmt: skip
    tally = Tally(clock)
    tally.plan([PlannedCell(c, f) for c, f in zip(cells, flops, strict=True)])
    tally.start(cells[0])
    clock.now += 2
    tally.advance(progress(cells[0], 0))
    return tally, cells


def test_cells_to_come_are_weighted_by_flops(small_cell: sb.Cell, clock: Clock) -> None:
    tally, (first, second, _) = waiting(small_cell, clock, 100, 300, 0)
    assert tally.seconds_left is None
    clock.now += 5
    tally.advance(progress(first, 200))
    # 5 s for the first; three times 10 s, and twice where nothing is known; 2 s to begin each.
    assert tally.seconds_left == pytest.approx(5 + 30 + 20 + 4)
    tally.advance(BlockProgress(first, 0, 6, 200, 6, 0))
    assert tally.seconds_left == pytest.approx(54), "all have stopped"
    tally.finish(first.plan_hash())
    tally.start(second)
    assert tally.seconds_left == pytest.approx(54)
    tally.advance(progress(second, 0))
    clock.now += 1
    tally.advance(progress(second, 100))
    assert tally.of(second).seconds_left == pytest.approx(3), "its own pace, ten times as fast"
    assert tally.finished == 1 and tally.under_way == [tally.of(second)]


def test_cells_under_way_together_share_the_time(small_cell: sb.Cell, clock: Clock) -> None:
    tally, (first, second, _) = waiting(small_cell, clock, 100, 100, 100)
    tally.start(second)
    tally.advance(progress(second, 0))
    clock.now += 5
    for cell in (first, second):
        tally.advance(progress(cell, 200))
    # 200 steps of both in 5 s; 400 of the third alone take as long, after half of a mean start of
    # 1 s, since two go on at once.
    assert tally.seconds_left == pytest.approx(5 + 5 + 0.5)


def test_blocks_of_a_cell_under_way_together_share_the_time(
    small_cell: sb.Cell, clock: Clock
) -> None:
    """400 steps of 6 replicas, 2 at once, in two of three blocks at the same time."""
    tally = started(small_cell, clock)
    cell = tally.of(small_cell)
    for steps, earlier in ((0, 0), (0, 2)):
        tally.advance(progress(small_cell, steps, earlier=earlier, replicas=2))
    assert (cell.done, cell.left) == (0, 2400)
    clock.now += 10
    for earlier in (0, 2):
        tally.advance(progress(small_cell, 100, earlier=earlier, replicas=2))
    assert (cell.done, cell.left, cell.share) == (400, 2000, 1 / 6)
    assert cell.rate == 40, "two blocks of 2 replicas, 10 steps/s each"
    # 30 s for those that run; 40 s for the third, were it not that two run at once.
    assert tally.seconds_left == pytest.approx(30 + 20)
    tally.advance(progress(small_cell, 200, 1, earlier=2, replicas=2))
    assert (cell.solved, cell.done) == (1, 500)
    tally.advance(progress(small_cell, 50, earlier=2, replicas=2))
    assert cell.done == 200 + 100, "whose worker was lost goes back to its checkpoint"
    assert cell.left == 2 * 300 + 2 * 350 + 2 * 400


def test_cells_that_lie_there_take_no_time(small_cell: sb.Cell, clock: Clock) -> None:
    other = replace(small_cell, task=installed().task("sparse-parity n=12 k=2"))
    tally = Tally(clock)
    tally.plan([PlannedCell(small_cell, 100), PlannedCell(other, 100, finished=6)])
    tally.start(small_cell)
    tally.advance(progress(small_cell, 0))
    clock.now += 1
    tally.advance(progress(small_cell, 100))
    assert tally.seconds_left == 3


def test_an_equal_cell_is_the_same_cell(small_cell: sb.Cell, clock: Clock) -> None:
    tally = started(small_cell, clock)
    assert tally.of(replace(small_cell)) is tally.of(small_cell)
