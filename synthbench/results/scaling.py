"""Cells that differ in one field only, and the power law through their times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synthbench.errors import NothingToDrawError
from synthbench.metrics.scaling import PowerLaw, fit_power_law
from synthbench.plan.grouping import groups
from synthbench.results.cell_fields import EXTENT, Fields, is_number
from synthbench.results.fields import Value
from synthbench.results.measured_cell import MeasuredCell


@dataclass(frozen=True)
class ScalingSeries:
    """Cells along one field, equal in everything else.

    field, axis: its column, and what it is called on an axis. values: of the field, for each
    cell, ascending where they are numbers. colour: index of the colour, which series of one group
    share.
    """

    label: str
    field: str
    axis: str
    cells: tuple[MeasuredCell, ...]
    values: tuple[Value, ...]
    colour: int


def find_series(
    cells: Sequence[MeasuredCell], field: str | None = None, group: str | None = None
) -> list[ScalingSeries]:
    """Group cells into series along one field of the task, the model, the recipe or the protocol.

    field: such as "n" or "width"; None takes the number that varies. group: one series for each
    value of this field, such as "model"; more of one colour where they would have two cells at
    one place. Raises ConfigurationError for a field that is not there, NothingToDrawError when
    several vary or no two cells differ in it alone.
    """
    fields = Fields(cells)
    x = fields.find(field) if field is not None else _only_number(fields)
    by = None if group is None else fields.find(group)
    found: list[tuple[int, str, list[int]]] = []
    for index, chosen in enumerate(_groups(fields, x, by)):
        parts = _lines(fields, chosen, x)
        for part in parts:
            label = _label(fields, part[0], x, by, alone=len(parts) == 1)
            found.append((index if by is not None else len(found), label, part))
    series = [_series(fields, x, *each) for each in found if len(each[2]) > 1]
    if not series:
        raise NothingToDrawError(
            f'no two cells differ in "{fields.column(x)}" alone; '
            "evaluate several sizes into one folder"
        )
    return series


def fit_series(
    series: ScalingSeries, per_sample: Callable[[MeasuredCell], float]
) -> PowerLaw | None:
    """The power law through the times to target of all replicas; None if it cannot be fitted.

    per_sample: what one training sample of a cell is in the unit of time.
    """
    reached = [cell.metrics.reached for cell in series.cells]
    units = [per_sample(cell) for cell in series.cells]
    return fit_power_law(
        np.repeat(np.array(series.values, float), [len(r.times) for r in reached]),
        np.concatenate([r.times * unit for r, unit in zip(reached, units, strict=True)]),
        np.concatenate([r.solved for r in reached]),
    )


def _series(
    fields: Fields, x: str, colour: int, label: str, chosen: Sequence[int]
) -> ScalingSeries:
    values = fields.values(x)
    ordered = sorted(
        chosen,
        key=lambda index: float(value) if is_number(value := values[index]) else np.inf,
    )
    return ScalingSeries(
        label,
        fields.column(x),
        fields.word(x),
        tuple(fields.cells[index] for index in ordered),
        tuple(values[index] for index in ordered),
        colour,
    )


def _only_number(fields: Fields) -> str:
    """The one field of numbers that varies, and is no matter of how much was trained."""
    numbers = [
        path
        for path in fields.paths
        if path not in EXTENT and sum(map(is_number, fields.values(path))) > 1
    ]
    if len(numbers) == 1:
        return numbers[0]
    if not numbers:
        raise NothingToDrawError(
            "a scaling fit needs cells of several sizes, such as --task 'sparse-parity n=20' "
            "--task 'sparse-parity n=40' evaluated in one command"
        )
    names = ", ".join(map(fields.column, numbers))
    raise NothingToDrawError(f"several fields vary ({names}); choose one as x, as in --x n")


def _groups(fields: Fields, x: str, by: str | None) -> list[list[int]]:
    """Places of the cells of each group; without a field, of those equal in all but x."""
    having = [index for index, cell in enumerate(fields.varying.cells) if x in cell]
    keys = fields.rest((x, *EXTENT)) if by is None else fields.values(by)
    found = groups([keys[index] for index in having])
    return [[having[place] for place in places] for places in found]


def _lines(fields: Fields, chosen: Sequence[int], x: str) -> list[list[int]]:
    """The group itself where its cells have places of their own, else those equal in the rest."""
    values = [fields.values(x)[index] for index in chosen]
    if len(set(values)) == len(values):
        return [list(chosen)]
    rest = fields.rest((x,))
    parts = groups([rest[index] for index in chosen])
    return [[chosen[place] for place in places] for places in parts]


def _label(fields: Fields, first: int, x: str, by: str | None, *, alone: bool) -> str:
    if by is None or not alone:
        return fields.short_names((x, *EXTENT))[first]
    return fields.value_label(by, first)
