"""Laws of a measurement: that its rows are numbers which belong to their seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synthbench.errors import SynthbenchError
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.measurements.trial import SEEDS, MeasurementTrial

OTHERS = (
    "draw from a stream of the seed, `Stream.from_seed(seed, Purpose....)`, and from nothing else."
)


@law(
    "rows-are-numbers",
    "It returns one row of named numbers for each seed, and no number has the name of a field.",
    "return `[{name: float}, ...]`, NaN for what a seed does not have.",
)
def rows_are_numbers(trial: MeasurementTrial) -> Outcome:
    """As they are checked before they are kept."""
    try:
        rows = trial.rows()
    except SynthbenchError as error:
        return str(error)
    trial.facts["measures"] = ", ".join(dict.fromkeys(name for row in rows for name in row))
    return None


@law(
    "same-again",
    "The same seeds have the same rows whenever it is asked.",
    OTHERS,
    needs=("rows-are-numbers",),
)
def same_again(trial: MeasurementTrial) -> Outcome:
    """Measured twice in one process."""
    return _difference(trial.rows(), trial.measured(SEEDS), SEEDS)


@law(
    "seeds-stand-alone",
    "The row of a seed does not depend on the seeds that are asked with it, nor on their order.",
    OTHERS,
    needs=("rows-are-numbers",),
)
def seeds_stand_alone(trial: MeasurementTrial) -> Outcome:
    """The last seed alone, and the first two the other way round."""
    rows = trial.rows()
    if found := _difference(rows[2:], trial.measured(SEEDS[2:]), SEEDS[2:]):
        return found
    return _difference(rows[1::-1], trial.measured(SEEDS[1::-1]), SEEDS[1::-1])


def _difference(
    first: list[Mapping[str, float]], second: list[Mapping[str, float]], seeds: tuple[int, ...]
) -> Outcome:
    for seed, one, other in zip(seeds, first, second, strict=True):
        for name in {**one, **other}:
            values = (one.get(name, np.nan), other.get(name, np.nan))
            if not np.array_equal([values[0]], [values[1]], equal_nan=True):
                return f"seed {seed}: {name} is {values[0]}, and then {values[1]}"
    return None


MEASUREMENT_LAWS: tuple[Law[Any], ...] = (
    *CONFIGURATION_LAWS,
    rows_are_numbers,
    same_again,
    seeds_stand_alone,
)
