"""Cells that stand on other cells: in which order they run, and what they take over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from synthbench.engine.inspection.inherited import trained_names
from synthbench.engine.training.inheritance import Inherited, smallest_weights
from synthbench.engine.training.teaching import teacher_of
from synthbench.errors import RecordError
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights, weights_at
from synthbench.plan.cell import Cell
from synthbench.plan.growth import configuration_hash, holds
from synthbench.plan.sources import LAST, Source, moments_of
from synthbench.records import Record, read_record
from synthbench.records.weights import read_weights, weights_hash
from synthbench.results.measured_cell import MeasuredCell

State = dict[str, Tensor]


class Foundation(NamedTuple):
    """What a cell takes over from others, over all its replicas, and the hashes of it."""

    inherited: Inherited
    hashes: dict[str, str]


NO_FOUNDATION = Foundation(Inherited(), {})


def with_sources(cells: Sequence[Cell]) -> list[Cell]:
    """The cells and those that they stand on, each once and after all that it stands on.

    Without those that lie in a folder of their own.
    """
    ordered: dict[str, Cell] = {}
    for cell in cells:
        below = [s.cell for s in cell.sources().values() if s.folder is None]
        for each in (*with_sources(below), cell):
            ordered.setdefault(each.plan_hash(), each)
    return list(ordered.values())


def needed_weights(cells: Sequence[Cell]) -> dict[str, KeptWeights]:
    """Plan hash of a cell -> the weights of it on which others of the cells stand."""
    needed: dict[str, KeptWeights] = {}
    for cell in cells:
        for source in cell.sources().values():
            name = source.cell.plan_hash()
            own = weights_at(source.cell, moments_of(source))
            needed[name] = needed.get(name, NO_WEIGHTS) | own
    return needed


def foundation_of(cell: Cell, finished: Mapping[str, MeasuredCell]) -> Foundation:
    """The weights that a cell takes over; finished: the cells of this evaluation by plan hash.

    Raises RecordError where a folder that was named does not hold them.
    """
    states = {name: _states(source, finished) for name, source in cell.sources().items()}
    hashes = {name: weights_hash(each) for name, each in states.items()}
    start = states["start"][0] if cell.start is not None else None
    teachers = tuple(states["teacher"]) if teacher_of(cell) is not None else ()
    pruned = _pruned(cell, states["mask"][0]) if cell.mask is not None else None
    return Foundation(Inherited(start, pruned, teachers), hashes)


def _states(source: Source[Cell], finished: Mapping[str, MeasuredCell]) -> list[State]:
    """The weights at every moment that a source asks for."""
    record, folder = _lying(source, finished)
    steps = [source.cell.evaluated_at(at) for at in moments_of(source)]
    states = [read_weights(record, folder, None if s == LAST else s) for s in steps]
    # The folder may hold more replicas.
    count = source.cell.protocol.seeds
    return [{name: tensor[:count] for name, tensor in state.items()} for state in states]


def _lying(source: Source[Cell], finished: Mapping[str, MeasuredCell]) -> tuple[Record, Path]:
    if source.folder is None:
        measured = finished[source.cell.plan_hash()]
        return measured.record, measured.folder
    record, plan = read_record(source.folder), source.cell.plan()
    same = configuration_hash(record.plan) == configuration_hash(plan)
    if not (same and holds(record.plan, plan) and record.budget == source.cell.protocol.budget):
        raise RecordError(f"{source.folder} holds another cell than the one that is named")
    return record, source.folder


def _pruned(cell: Cell, weights: State) -> State:
    assert cell.mask is not None
    trained = {name: weights[name] for name in trained_names(cell) if name in weights}
    return smallest_weights(trained, cell.mask.sparsity, cell.mask.scope)
