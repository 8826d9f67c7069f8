"""What the laws of measurements look at: a measurement, and what it measures of a few seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from synthbench.contracts.measurement import Measurement
from synthbench.measurements.rows import check_rows
from synthbench.registry.kinds import MEASUREMENT, Kind
from synthbench.testing.workbench.kept import Kept

SEEDS = (0, 1, 2)


@dataclass
class MeasurementTrial:
    """A measurement under examination."""

    subject: Measurement
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Measurement]] = MEASUREMENT
    _kept: Kept = field(default_factory=Kept)

    def rows(self) -> list[Mapping[str, float]]:
        """Of `SEEDS`, measured once; raises ConfigurationError for what are no rows."""
        return self._kept.get("rows", lambda: self.measured(SEEDS))

    def measured(self, seeds: Sequence[int]) -> list[Mapping[str, float]]:
        """Of some seeds, measured now."""
        rows = self.subject.measure(seeds)
        fields = list(type(self.subject).model_fields)
        return [*check_rows(self.subject.label(), len(seeds), rows, fields)]
