"""Whether the weights of another cell fit a cell's network, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping

from synthbench.engine.axis.replicas import Replicas, build_modules, stack_modules
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell

Shapes = Mapping[str, tuple[int, ...]]


def check_inherited(cell: Cell) -> None:
    """Raise ModelError, naming the tensor, where a start or a mask is of another network."""
    if cell.start is None and cell.mask is None:
        return
    own = _example(cell)
    if cell.start is not None:
        skipped = own.noise_buffers
        every = {n: t for n, t in {**own.parameters, **own.buffers}.items() if n not in skipped}
        wanted = {name: tuple(tensor.shape[1:]) for name, tensor in every.items()}
        _check_shapes("start", cell, cell.start.cell, wanted)
    if cell.mask is not None:
        matrices = {n: tuple(t.shape[1:]) for n, t in own.parameters.items() if t.dim() >= 3}
        _check_shapes("mask", cell, cell.mask.cell, matrices)


def trained_names(cell: Cell) -> list[str]:
    """Names of the parameters that the cell trains, as its author's module gives them."""
    return list(_example(cell).parameters)


def _check_shapes(kind: str, cell: Cell, source: Cell, wanted: Shapes) -> None:
    given = _example(source)
    found = {n: tuple(t.shape[1:]) for n, t in {**given.parameters, **given.buffers}.items()}
    for name, shape in wanted.items():
        if found.get(name) != shape:
            there = f"has shape {found[name]} there" if name in found else "is not there"
            raise ModelError(
                f'{kind} "{source.model.label()}" does not fit "{cell.model.label()}": {name} '
                f"{there}, {shape} here; name a cell of the same network"
            )


def _example(cell: Cell) -> Replicas:
    first = cell.protocol.first_seed
    return stack_modules(cell.model, build_modules(cell.model, cell.interface, [first, first]))
