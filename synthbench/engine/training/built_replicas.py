"""The replicas of a block as their cells build them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from torch import nn

from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Replicas, stack_modules, true_dtype
from synthbench.engine.axis.way import Execution, Way
from synthbench.plan.cell import Cell, ReplicaSeeds


def built_modules(cells: Sequence[Cell], seeds: Sequence[ReplicaSeeds]) -> list[nn.Module]:
    """The modules of all replicas, each built by its own cell."""
    modules: list[nn.Module] = []
    for _, group in groupby(zip(cells, seeds, strict=True), key=lambda pair: id(pair[0])):
        own = list(group)
        cell = own[0][0]
        modules += build_modules(cell.model, cell.interface, [each.init for _, each in own])
    return modules


def built_replicas(
    cell: Cell, modules: list[nn.Module], execution: Execution
) -> Replicas | PlainReplicas:
    """The replicas in the precision of the protocol, in the way in which they are trained."""
    dtype = true_dtype(cell.protocol.precision)
    if execution.way is Way.PLAIN:
        return PlainReplicas.of(cell.model, modules, cell.interface, execution.draws, dtype)
    return stack_modules(cell.model, modules, cell.interface).to(dtype)
