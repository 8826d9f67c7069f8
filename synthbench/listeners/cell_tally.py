"""How far one cell is, over all of its blocks, and how long it takes at most."""

from __future__ import annotations

from bisect import bisect_right

from synthbench.listeners.listener import BlockProgress, PlannedCell
from synthbench.listeners.pace import Pace
from synthbench.plan.schedule import evaluation_steps


class CellTally:
    """Steps summed over the replicas that run, replicas solved, and the time left.

    What is left is counted to the end of the budget for every replica that still runs, so it is
    the most that it can be, and becomes less when a replica stops. What an earlier session did
    counts as done, and not for the pace; nor do a block's first steps, which are recorded.
    """

    def __init__(self, planned: PlannedCell, number: int) -> None:
        """number: its place in the evaluation, 1 for the first."""
        cell, self.number = planned.cell, number
        self.cell, self.replicas = cell, cell.protocol.seeds
        self._points = evaluation_steps(cell.steps, cell.protocol.resolution)
        self.done = planned.finished * cell.steps
        self.solved = 0
        self.finished = False
        self.started_at: float | None = None
        self.reported_at: float | None = None
        self.setup = 0.0
        """Seconds between the start of the cell and its first report."""
        self._block_setup = 0.0
        self._running, self._steps, self._earlier = 0, 0, -1
        self._later, self._width = self.replicas - planned.finished, 1
        self._done_before, self._solved_before = self.done, 0
        self._stepping, self._evaluating, self._pace = Pace(), Pace(), Pace()

    def start(self, now: float) -> None:
        """The cell begins, or continues."""
        self.started_at = now

    def finish(self) -> None:
        """Nothing is left."""
        self.finished, self._running, self._later = True, 0, 0

    def advance(self, progress: BlockProgress, now: float) -> None:
        """Take in a block's report."""
        before = self.reported_at if self.reported_at is not None else self.started_at
        seconds = 0.0 if before is None else now - before
        taken = (progress.steps - self._steps) * progress.running
        if progress.earlier != self._earlier or progress.steps < self._steps:
            self._begin(progress, seconds)
        else:
            self._pace.add(taken, seconds)
            self.done += taken
            if taken:
                self._stepping.add(taken, seconds)
            elif self._running:
                self._evaluating.add(self._running, seconds)
        self.solved = self._solved_before + progress.solved
        self._running, self._steps = progress.running, progress.steps
        self.reported_at = now

    def _begin(self, progress: BlockProgress, seconds: float) -> None:
        """A block's first report, also of one that starts again in less memory."""
        if progress.earlier != self._earlier:
            self._done_before, self._solved_before = self.done, self.solved
        self.done = self._done_before + progress.steps * progress.running
        if self.reported_at is None:
            self.setup = seconds
        self._block_setup = seconds
        self._earlier, self._width = progress.earlier, progress.replicas
        self._later = self.replicas - progress.earlier - progress.replicas

    @property
    def under_way(self) -> bool:
        """Whether it has started and not finished."""
        return self.started_at is not None and not self.finished

    @property
    def left(self) -> int:
        """The most steps that are left, over replicas."""
        return self._running * (self.cell.steps - self._steps) + self._later * self.cell.steps

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.finished else self.done / max(self.done + self.left, 1)

    @property
    def rate(self) -> float | None:
        """Steps per second over replicas, of late, evaluations between them included."""
        each = self._pace.recent
        return 1 / each if each else None

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
        """What counts for the pace, evaluations as so many steps: steps over replicas, seconds."""
        steps = self._stepping.work + self._evaluating.work * self.evaluation_cost
        return steps, self._stepping.seconds + self._evaluating.seconds

    def steps_ahead(self, evaluation_cost: float) -> float:
        """The most steps of replicas that have not begun, with their evaluations as steps."""
        return self._later * (self.cell.steps + len(self._points) * evaluation_cost)

    @property
    def seconds_left(self) -> float | None:
        """The most that is left at this pace; None before there is one."""
        step, evaluation = self._stepping.recent, self._evaluating.recent or 0.0
        if self.finished:
            return 0.0
        if step is None:
            return None
        steps_left = self.cell.steps - self._steps
        points_left = len(self._points) - bisect_right(self._points, self._steps)
        current = self._running * (steps_left * step + points_left * evaluation)
        later = self.steps_ahead(self.evaluation_cost) * (self.step_seconds or step)
        return current + later + -(-self._later // self._width) * self._block_setup
