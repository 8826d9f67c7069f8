"""Cells that differ in one size only, and the power law through them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthbench.errors import NothingToDrawError, did_you_mean
from synthbench.metrics.scaling import PowerLaw, fit_power_law
from synthbench.results.measured_cell import MeasuredCell


@dataclass(frozen=True)
class ScalingSeries:
    """Cells of growing size, equal in everything else; `law` is None if it cannot be fitted."""

    label: str
    field: str
    cells: tuple[MeasuredCell, ...]
    sizes: tuple[float, ...]
    law: PowerLaw | None


def find_series(cells: Sequence[MeasuredCell], field: str | None = None) -> list[ScalingSeries]:
    """Group cells into series along one numeric field of the task, the model or the recipe.

    field: such as "n" or "width"; None takes the one that varies. Raises ConfigurationError
    when that is ambiguous, NothingToDrawError when no two cells differ in it alone.
    """
    chosen = field or _varying(cells)
    groups: dict[str, list[MeasuredCell]] = {}
    for cell in cells:
        if chosen in _numbers(cell):
            groups.setdefault(_rest(cell, chosen), []).append(cell)
    series = [_series(group, chosen) for group in groups.values() if len(group) > 1]
    if not series:
        known = sorted({name for cell in cells for name in _numbers(cell)})
        suggestion = "" if chosen in known else did_you_mean(chosen, known)
        raise NothingToDrawError(
            f'no two cells differ in "{chosen}" alone{suggestion}; '
            "evaluate several sizes into one folder"
        )
    return series


def _series(group: Sequence[MeasuredCell], field: str) -> ScalingSeries:
    ordered = sorted(group, key=lambda cell: _numbers(cell)[field])
    sizes = [_numbers(cell)[field] for cell in ordered]
    reached = [cell.metrics.reached for cell in ordered]
    law = fit_power_law(
        np.repeat(sizes, [len(r.times) for r in reached]),
        np.concatenate([r.times for r in reached]),
        np.concatenate([r.solved for r in reached]),
    )
    return ScalingSeries(_label(ordered[0], field), field, tuple(ordered), tuple(sizes), law)


def _parts(cell: MeasuredCell) -> list[dict[str, Any]]:
    return [cell.record.task_plan, cell.record.model_plan, cell.record.recipe]


def _numbers(cell: MeasuredCell) -> dict[str, float]:
    """Every positive number in the configuration, by field name; the task's come first."""
    found: dict[str, float] = {}
    for part in _parts(cell):
        for name, value in part.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and value > 0 and name != "version":
                found.setdefault(name, float(value))
    return found


def _varying(cells: Sequence[MeasuredCell]) -> str:
    values: dict[str, set[float]] = {}
    for cell in cells:
        for name, number in _numbers(cell).items():
            values.setdefault(name, set()).add(number)
    varying = sorted(name for name, seen in values.items() if len(seen) > 1)
    if len(varying) == 1:
        return varying[0]
    if not varying:
        raise NothingToDrawError(
            "a scaling fit needs cells of several sizes, such as --task 'sparse-parity n=20' "
            "--task 'sparse-parity n=40' evaluated in one command"
        )
    raise NothingToDrawError(
        f"several fields vary ({', '.join(varying)}); choose one with --against"
    )


def _rest(cell: MeasuredCell, field: str) -> str:
    """Everything the cell is but its size."""
    parts = [{k: v for k, v in part.items() if k not in (field, "recipe")} for part in _parts(cell)]
    return json.dumps([*parts, cell.record.protocol], sort_keys=True)


def _label(cell: MeasuredCell, field: str) -> str:
    """Task and model as one types them, with the size left open."""
    words = f"{cell.record.task} | {cell.record.model}".split(" ")
    return " ".join(word for word in words if not word.startswith(f"{field}="))
