"""What the laws of suites look at: the suite, and what its references mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.plan.cell import Cell
from synthbench.plan.suite import Suite, SuiteCell, cell_protocol, suite_protocol
from synthbench.registry.registry import Registry
from synthbench.testing.workbench.kept import Kept


@dataclass
class SuiteTrial:
    """A suite under examination, with what is installed."""

    subject: Suite
    registry: Registry
    facts: dict[str, str] = field(default_factory=dict)
    _kept: Kept = field(default_factory=Kept)

    @property
    def models(self) -> list[str]:
        """References of its models, that of the leaderboard among them."""
        return list(dict.fromkeys([*self.subject.models, self.subject.reference]))

    def task(self, reference: str) -> Task:
        """The task of a row."""
        return self._kept.get(("task", reference), lambda: self.registry.task(reference))

    def model(self, reference: str) -> Model:
        """One of its models."""
        return self._kept.get(("model", reference), lambda: self.registry.model(reference))

    def probe(self, reference: str) -> Probe:
        """One of its probes."""
        return self._kept.get(("probe", reference), lambda: self.registry.probe(reference))

    def cell(self, row: SuiteCell, model: str) -> Cell:
        """A row as it is trained with one of the models."""
        protocol = cell_protocol(row, suite_protocol(self.subject))
        probes = tuple(self.probe(reference) for reference in self.subject.probes)
        return Cell(self.task(row.task), self.model(model), protocol, probes)

    def cells(self) -> Iterator[tuple[str, Cell]]:
        """Every row with every model, and how they are called in a message."""
        for number, row in enumerate(self.subject.cells, start=1):
            for model in self.models:
                yield f'cell {number} ({row.task}) with "{model}"', self.cell(row, model)
