"""What is said about a cell, number by number: the one list of name, source and unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate, format_time_to_target

T = TypeVar("T", contravariant=True)

SAMPLES, STEPS, FLOPS = "samples", "steps", "FLOPs"
"""Units of times: one that never came lies beyond the budget."""


@dataclass(frozen=True)
class Quantity(Generic[T]):
    """A number with its interval.

    name: of its column in a table, and of its attribute. of: reads it. unit: one of those above
    where it is a time. heading: above a column of a terminal, in one line or two.
    """

    name: str
    of: Callable[[T], Estimate]
    unit: str
    heading: str

    def words(self, source: T, budget: float | None = None) -> tuple[str, str]:
        """Value and interval; budget: where a time is censored, None where that is not known."""
        estimate = self.of(source)
        if self.unit in (SAMPLES, STEPS, FLOPS):
            return format_time_to_target(estimate, budget)
        return format_estimate(estimate)
