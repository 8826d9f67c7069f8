"""How far one cell is, over all of its blocks, and how long it takes at most."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from synthbench.listeners.listener import BlockProgress, PlannedCell
from synthbench.listeners.pace import Pace
from synthbench.plan.schedule import evaluation_steps


@dataclass
class BlockTally:
    """One block of a cell; done: its steps so far, over replicas."""

    replicas: int
    running: int
    steps: int
    solved: int
    done: int
    reported_at: float

    @classmethod
    def begun(cls, progress: BlockProgress, now: float) -> BlockTally:
        """From its first report."""
        done = progress.steps * progress.running
        return cls(progress.replicas, progress.running, progress.steps, progress.solved, done, now)


class CellTally:
    """Steps summed over the replicas that run, replicas solved, and the time left.

    What is left is counted to the end of the budget for every replica that still runs, so it is
    the most that it can be, and becomes less when a replica stops. What an earlier session did
    counts as done, and not for the pace; nor do a block's first steps, which are recorded. Several
    blocks may run at once.
    """

    def __init__(self, planned: PlannedCell, number: int) -> None:
        """number: its place in the evaluation, 1 for the first."""
        cell, self.number = planned.cell, number
        self.cell, self.replicas = cell, cell.protocol.seeds
        self._points = evaluation_steps(cell.steps, cell.protocol.resolution)
        self._earlier = planned.finished
        self.finished = self.failed = False
        self.started_at: float | None = None
        self.reported_at: float | None = None
        self.setup = 0.0
        """Seconds between the start of the cell and its first report."""
        self._block_setup, self._width = 0.0, 1
        self._blocks: dict[int, BlockTally] = {}
        self._stepping, self._evaluating, self._pace = Pace(), Pace(), Pace()

    def start(self, now: float) -> None:
        """The cell begins, or continues."""
        self.started_at = now

    def finish(self) -> None:
        """Nothing is left."""
        self.finished = True

    def advance(self, progress: BlockProgress, now: float) -> None:
        """Take in a block's report."""
        block = self._blocks.get(progress.earlier)
        # One that starts again, perhaps with fewer replicas in less memory, counts once.
        if block is None or progress.steps < block.steps:
            self._begin(progress, now)
        else:
            self._go_on(block, progress, now)
        self.reported_at = now

    def _begin(self, progress: BlockProgress, now: float) -> None:
        before = self.reported_at if self.reported_at is not None else self.started_at
        seconds = 0.0 if before is None else now - before
        if self.reported_at is None:
            self.setup = seconds
        if not self._running_blocks:
            self._block_setup = seconds
        self._width = progress.replicas
        self._blocks[progress.earlier] = BlockTally.begun(progress, now)

    def _go_on(self, block: BlockTally, progress: BlockProgress, now: float) -> None:
        seconds = now - block.reported_at
        taken = (progress.steps - block.steps) * progress.running
        self._pace.add(taken, seconds)
        if taken:
            self._stepping.add(taken, seconds)
        elif block.running:
            self._evaluating.add(block.running, seconds)
        block.done += taken
        block.steps, block.solved = progress.steps, progress.solved
        block.running, block.reported_at = progress.running, now

    @property
    def done(self) -> int:
        """Steps that are done, over replicas."""
        own = sum(block.done for block in self._blocks.values())
        return self._earlier * self.cell.steps + own

    @property
    def solved(self) -> int:
        """Replicas that have solved the task."""
        return sum(block.solved for block in self._blocks.values())

    @property
    def under_way(self) -> bool:
        """Whether it has started and not finished."""
        return self.started_at is not None and not self.finished

    @property
    def left(self) -> int:
        """The most steps that are left, over replicas."""
        steps = self.cell.steps
        current = sum(block.running * (steps - block.steps) for block in self._running_blocks)
        return 0 if self.finished else current + self._later * steps

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.finished else self.done / max(self.done + self.left, 1)

    @property
    def rate(self) -> float | None:
        """Steps per second over replicas, of late, evaluations between them included."""
        each = self._pace.recent
        return max(len(self._running_blocks), 1) / each if each else None

    @property
    def step_seconds(self) -> float | None:
        """What a step of a replica takes where many run; None before there is a pace."""
        return self._stepping.best

    @property
    def evaluation_cost(self) -> float:
        """What evaluating a replica takes, in steps of it; 0 before that is known."""
        step, evaluation = self._stepping.best, self._evaluating.best
        return evaluation / step if step and evaluation else 0.0

    @property
    def measured(self) -> tuple[float, float]:
        """What counts for the pace, evaluations as so many steps: steps over replicas, seconds.

        Seconds of blocks that run at once are added.
        """
        steps = self._stepping.work + self._evaluating.work * self.evaluation_cost
        return steps, self._stepping.seconds + self._evaluating.seconds

    def steps_ahead(self, evaluation_cost: float) -> float:
        """The most steps of replicas that have not begun, with their evaluations as steps."""
        return self._later * (self.cell.steps + len(self._points) * evaluation_cost)

    @property
    def seconds_left(self) -> float | None:
        """The most that is left at this pace; None before there is one."""
        step = self._stepping.recent
        if self.finished:
            return 0.0
        if step is None:
            return None
        running = self._running_blocks
        current = max((self._seconds_of(block, step) for block in running), default=0.0)
        later = self.steps_ahead(self.evaluation_cost) * (self.step_seconds or step)
        later += -(-self._later // self._width) * self._block_setup
        return current + later / max(len(running), 1)

    def _seconds_of(self, block: BlockTally, step: float) -> float:
        evaluation = self._evaluating.recent or 0.0
        points_left = len(self._points) - bisect_right(self._points, block.steps)
        return block.running * ((self.cell.steps - block.steps) * step + points_left * evaluation)

    @property
    def _running_blocks(self) -> list[BlockTally]:
        return [block for block in self._blocks.values() if block.running]

    @property
    def _later(self) -> int:
        """Replicas that have not begun."""
        if self.finished:
            return 0
        begun = sum(block.replicas for block in self._blocks.values())
        return max(self.replicas - self._earlier - begun, 0)
