"""One configuration that is tried: its cell, what it has shown so far, and what it has cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from synthbench.metrics.estimate import Estimate
from synthbench.plan.cell import Cell
from synthbench.records.reading import read_record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.tuning.proposals import Proposal
from synthbench.tuning.rungs import rungs
from synthbench.tuning.standing import Standing, standing_of


@dataclass(frozen=True)
class Trial:
    """A configuration on the tuning seeds.

    number: its place among those proposed, from 1. cell: with its full budget. standing: what its
    training so far has shown, None before it began. measured: what was measured with the largest
    budget so far. error: what ended its training, if anything did: then it is out of the search.
    samples, flops: spent on training it, over all replicas, as `charged` finds them on disk.
    """

    number: int
    proposal: Proposal
    cell: Cell
    standing: Standing | None = None
    measured: MeasuredCell | None = None
    error: Exception | None = None
    samples: int = 0
    flops: int = 0

    @cached_property
    def rungs(self) -> list[int]:
        """The budgets at which it is looked at, the full one last."""
        return rungs(self.cell)

    @property
    def longer(self) -> Cell:
        """The cell with the next larger budget; the full one where there is none."""
        spent = 0 if self.standing is None else self.standing.samples
        return self._within(next((each for each in self.rungs if each > spent), self.rungs[-1]))

    def after(self, budget: int, measured: MeasuredCell) -> Trial:
        """The same trial, trained for longer: with so many samples for each replica."""
        found = standing_of(measured, budget, whole=budget >= self.cell.protocol.budget)
        return replace(self, standing=found, measured=measured)

    def charged(self) -> Trial:
        """The same trial with its costs: of all that lies in its folder, needed this time or not.

        Raises RecordError where the record cannot be trusted.
        """
        record = read_record(self.latest.folder)
        steps = record.compute.replica_steps
        return replace(
            self,
            samples=steps * record.batch_size,
            flops=steps * record.compute.step_flops,
        )

    @property
    def latest(self) -> MeasuredCell:
        """What was measured of a trial that has begun."""
        assert self.measured is not None
        return self.measured

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

    def _within(self, budget: int) -> Cell:
        protocol = self.cell.protocol.model_copy(update={"budget": budget})
        return replace(self.cell, protocol=protocol)
