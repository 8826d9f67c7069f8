"""Whether a cell can stand on the cells that it names, seen from their plans alone."""

from __future__ import annotations

from synthbench.errors import ConfigurationError, InterfaceError
from synthbench.plan.cell import Cell
from synthbench.plan.sources import LAST, At, moments_of


def check_sources(cell: Cell) -> None:
    """Raise unless every source has the cell's replicas and an evaluation at the step named.

    ConfigurationError says which seeds differ, InterfaceError that a teacher was trained for
    another interface.
    """
    for name, source in cell.sources().items():
        _check_replicas(name, cell, source.cell)
        for at in moments_of(source):
            _check_step(name, source.cell, at)
    if cell.teacher is not None:
        _check_interface(cell, cell.teacher.cell)


def _check_replicas(name: str, cell: Cell, source: Cell) -> None:
    own, others = cell.replica_seeds(), source.replica_seeds()
    if own == others:
        return
    raise ConfigurationError(
        f"{name} must have the same replicas: {_seeds(source)} there, {_seeds(cell)} here; "
        "give both the same seeds, first_seed and initializations"
    )


def _seeds(cell: Cell) -> str:
    protocol = cell.protocol
    crossed = protocol.initializations
    design = "" if crossed is None else f", {crossed} initializations"
    return f"{protocol.seeds} seeds from {protocol.first_seed}{design}"


def _check_step(name: str, source: Cell, at: At) -> None:
    if at != LAST and at > source.steps:
        raise ConfigurationError(
            f"{name} at step {at} is beyond the {source.steps} steps of "
            f'"{source.model.label()}"; name an earlier step, or last'
        )


def _check_interface(cell: Cell, teacher: Cell) -> None:
    wanted, found = cell.task.interface.describe(), teacher.task.interface.describe()
    if wanted != found:
        raise InterfaceError(
            f'teacher "{teacher.model.label()}" was trained for {found}, the task is {wanted}'
        )
