"""The numbers of a cell that can be drawn over a field: every metric of `Results.table()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from synthbench.errors import UnknownNameError, did_you_mean
from synthbench.metrics.cell_metrics import EFFICIENCY
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.quantity import FLOPS, SAMPLES, STEPS, Quantity
from synthbench.metrics.summary import FINAL_SCORE, TO_TARGET
from synthbench.metrics.transitions import TRANSITIONS
from synthbench.results.figures.axis_names import HIGHER, LOWER, axis_name, direction
from synthbench.results.measured_cell import MeasuredCell

T = TypeVar("T")

TIME_UNITS = (SAMPLES, STEPS, FLOPS)
ALIASES = {"solved_share": "success_rate", "median": "samples_to_target"}
WORDS = {
    "flops_to_target": "FLOPs to target",
    "success_rate": "share solved",
    "random_search_cv": "CV of solving times",
}
BETTER = {
    "success_rate": HIGHER, "solved": HIGHER, "diverged": LOWER, "samples_to_target": LOWER,
    "steps_to_target": LOWER, "flops_to_target": LOWER, "restricted_mean": LOWER, "regret": LOWER,
    "onset": LOWER, "midpoint": LOWER, "completion": LOWER, "height": HIGHER, "relapse": LOWER,
}  # fmt: skip
"""Directions; the others describe, and none of their values is better."""


@dataclass(frozen=True)
class Measure:
    """A number of every cell.

    name: its column in `Results.table()`. unit: such as samples or share. better: "higher",
    "lower" or "". of: reads it, with its interval where it has one.
    """

    name: str
    unit: str
    better: str
    of: Callable[[MeasuredCell], Estimate]

    @property
    def words(self) -> str:
        """As one says it."""
        return WORDS.get(self.name, self.name.replace("_", " "))

    @property
    def is_time(self) -> bool:
        """Whether a value that is missing lies beyond what was watched."""
        return self.unit in TIME_UNITS

    @property
    def is_share(self) -> bool:
        """Whether it lies within 0..1 whatever the cell."""
        return self.name in ("success_rate", "regret")

    def label(self, note: str = "") -> str:
        """Name of an axis: unit, note, direction."""
        median = "median" if self.is_time and self.name != "restricted_mean" else ""
        unit = "" if self.unit in self.words or self.unit == "share" else self.unit
        return axis_name(self.words, "; ".join(filter(None, (unit, median, note))), self.better)

    def per_sample(self, cell: MeasuredCell) -> float:
        """How much of a time's unit one sample is."""
        if self.unit == FLOPS:
            return cell.record.flops_per_sample
        return 1 / cell.batch_size if self.unit == STEPS else 1.0

    def beyond(self, cell: MeasuredCell) -> float:
        """The time beyond which nothing is known."""
        return cell.watched * self.per_sample(cell)


def find_measure(name: str, cells: Sequence[MeasuredCell]) -> Measure:
    """The measure of a name; raises UnknownNameError where these cells have none of it."""
    known = measures(cells)
    found = known.get(ALIASES.get(name, name))
    if found is None:
        words = [*known, *ALIASES]
        raise UnknownNameError(
            f'no number "{name}"{did_you_mean(name, words)} (numbers: {", ".join(known)})'
        )
    return found


def measures(cells: Sequence[MeasuredCell]) -> Mapping[str, Measure]:
    """Every measure of these cells by its name."""
    score = _shared_direction(cells)
    found = [
        *(_measure(each, lambda cell: cell.record.summary) for each in TO_TARGET),
        *(_measure(each, lambda cell: cell.metrics) for each in EFFICIENCY),
        *(_measure(each, lambda cell: cell.metrics.transitions) for each in TRANSITIONS),
        Measure("final_score", "", score, lambda cell: FINAL_SCORE.of(cell.record.summary)),
        _count("replicas", "", lambda cell: cell.record.summary.replicas),
        _count("solved", "replicas", lambda cell: cell.record.summary.solved),
        _count("diverged", "replicas", lambda cell: cell.record.summary.diverged),
        _count("budget", "samples", lambda cell: cell.budget),
        _count("parameters", "", lambda cell: cell.record.compute.parameters),
        _count("state_size", "", lambda cell: cell.record.compute.state_size),
        _count("flops_per_sample", "", lambda cell: cell.record.flops_per_sample),
        _count("random_search_cv", "", _random_search_cv),
        _count("random_search_p", "", _random_search_p),
        *(_lead(name) for name in dict.fromkeys(p for c in cells for p in c.trajectories.probes)),
    ]
    return {measure.name: measure for measure in found}


def _measure(quantity: Quantity[T], source: Callable[[MeasuredCell], T]) -> Measure:
    name = quantity.name
    return Measure(
        name, quantity.unit, BETTER.get(name, ""), lambda cell: quantity.of(source(cell))
    )


def _count(name: str, unit: str, of: Callable[[MeasuredCell], float | None]) -> Measure:
    return Measure(
        name,
        unit,
        BETTER.get(name, ""),
        lambda cell: Estimate(value=of(cell), low=None, high=None),
    )


def _lead(probe: str) -> Measure:
    unknown = Estimate(value=None, low=None, high=None)

    def lead(cell: MeasuredCell) -> Estimate:
        found = cell.metrics.probes.get(probe)
        return unknown if found is None else found.lead

    return Measure(f"{probe}/lead", "decades", "", lead)


def _random_search_cv(cell: MeasuredCell) -> float | None:
    test = cell.metrics.random_search
    return None if test is None else test.cv


def _random_search_p(cell: MeasuredCell) -> float | None:
    test = cell.metrics.random_search
    return None if test is None else test.p_value


def _shared_direction(cells: Sequence[MeasuredCell]) -> str:
    """Of the ranked scores of all cells; none where they do not agree."""
    found = {direction(cell.record, cell.record.summary.score) for cell in cells}
    return found.pop() if len(found) == 1 else ""
