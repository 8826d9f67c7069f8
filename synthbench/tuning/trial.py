"""One configuration that is tried: its cell, what it has shown so far, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from synthbench.metrics.estimate import Estimate
from synthbench.plan.cell import Cell
from synthbench.results.measured_cell import MeasuredCell
from synthbench.tuning.proposals import Proposal
from synthbench.tuning.rungs import rungs
from synthbench.tuning.standing import Standing, standing_of


@dataclass(frozen=True)
class Trial:
    """A configuration on the tuning seeds.

    cell: with its full budget. standing: what its training so far has shown, None before it began.
    measured: what was measured of it, by folder; the last one is the longest.
    """

    proposal: Proposal
    cell: Cell
    standing: Standing | None = None
    measured: Mapping[Path, MeasuredCell] = field(default_factory=dict)

    @cached_property
    def rungs(self) -> list[int]:
        """The budgets at which it is looked at, the full one last."""
        return rungs(self.cell)

    @property
    def longer(self) -> Cell:
        """The cell with the next larger budget; the full one where there is none."""
        spent = 0 if self.standing is None else self.standing.samples
        return self._within(next((each for each in self.rungs if each > spent), self.rungs[-1]))

    def after(self, measured: MeasuredCell) -> Trial:
        """The same trial, trained for longer."""
        found = standing_of(measured, self.cell.protocol.budget)
        return replace(self, standing=found, measured={**self.measured, measured.folder: measured})

    @property
    def latest(self) -> MeasuredCell:
        """What was measured with the largest budget so far; there has to be one."""
        return list(self.measured.values())[-1]

    @property
    def known(self) -> Standing:
        """The standing of a trial that has begun."""
        assert self.standing is not None
        return self.standing

    @property
    def samples_to_target(self) -> Estimate:
        """Median and interval, as far as it was trained."""
        return self.latest.record.summary.samples_to_target

    @property
    def loss(self) -> float:
        """A number that is smaller for better trials: the median or, without one, more than it.

        What lies beyond what was watched is longer by the share that is unsolved.
        """
        known = self.known
        if known.median is not None:
            return known.median
        return known.at_least * (2 - known.solved / known.replicas)

    @property
    def samples(self) -> int:
        """Training samples spent on it, over all replicas and budgets."""
        return sum(_samples(each) for each in self.measured.values())

    @property
    def flops(self) -> int:
        """Training FLOPs spent on it, over all replicas and budgets."""
        costs = [each.record.compute for each in self.measured.values()]
        return sum(cost.replica_steps * cost.step_flops for cost in costs)

    def _within(self, budget: int) -> Cell:
        protocol = self.cell.protocol.model_copy(update={"budget": budget})
        return replace(self.cell, protocol=protocol)


def _samples(measured: MeasuredCell) -> int:
    return measured.record.compute.replica_steps * measured.batch_size
