"""Whether the weights of another cell fit a cell's network, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping

from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.replicas import stacked_state
from synthbench.engine.axis.state import State
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell

Shapes = Mapping[str, tuple[int, ...]]


def check_inherited(cell: Cell) -> None:
    """Raise ModelError, naming the tensor, where a start or a mask is of another network."""
    if cell.start is None and cell.mask is None:
        return
    parameters, buffers = _example(cell)
    if cell.start is not None:
        wanted = {n: tuple(t.shape[1:]) for n, t in {**parameters, **buffers}.items()}
        _check_shapes("start", cell, cell.start.cell, wanted)
    if cell.mask is not None:
        matrices = {n: tuple(t.shape[1:]) for n, t in parameters.items() if t.dim() >= 3}
        _check_shapes("mask", cell, cell.mask.cell, matrices)


def trained_names(cell: Cell) -> list[str]:
    """Names of the parameters that the cell trains, as its author's module gives them."""
    return list(_example(cell)[0])


def _check_shapes(kind: str, cell: Cell, source: Cell, wanted: Shapes) -> None:
    parameters, buffers = _example(source)
    found = {n: tuple(t.shape[1:]) for n, t in {**parameters, **buffers}.items()}
    for name, shape in wanted.items():
        if found.get(name) != shape:
            there = f"has shape {found[name]} there" if name in found else "is not there"
            raise ModelError(
                f'{kind} "{source.model.label()}" does not fit "{cell.model.label()}": {name} '
                f"{there}, {shape} here; name a cell of the same network"
            )


def _example(cell: Cell) -> tuple[State, State]:
    """Parameters and buffers of a network of the cell, stacked."""
    modules = build_modules(cell.model, cell.interface, [cell.protocol.first_seed])
    return stacked_state(cell.model, modules)
