"""What an evaluation would take: checked and measured like one, and nothing of it done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from synthbench.engine.axis.memory import memory_errors, with_less_memory
from synthbench.engine.axis.way import Execution, Way
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block import NARROWEST, Block, split_blocks
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.evaluation.data_memory import data_bytes
from synthbench.evaluation.earlier import finished_replicas
from synthbench.evaluation.machine import Machine
from synthbench.evaluation.preparation import prepare
from synthbench.evaluation.rehearsal import Rehearsal, rehearse
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.store import Store
from synthbench.evaluation.way_choice import choose_way
from synthbench.isolation import isolated
from synthbench.isolation.threads import threads
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps

PLAIN_REHEARSED = 2
"""Plain modules take their turns, so that two tell what all of them take."""


@dataclass(frozen=True)
class Forecast:
    """What a cell would take from here on.

    finished: replicas that lie there already; replicas: those to be trained. flops: of all their
    optimizer steps. seconds: with every replica trained to the end of its budget, which is the
    most: one that solves its task may stop earlier. memory: bytes at once: parameters, gradients,
    optimizer state and samples, without what the forward pass keeps; on a GPU the measured peak.
    """

    cell: Cell
    finished: int
    replicas: int
    flops: int
    seconds: float
    memory: int


@isolated()
def forecast_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings | None = None
) -> list[Forecast]:
    """What `evaluate_cells` would take into `out` on this machine; writes nothing.

    Every cell is checked as it would be, and trained for about a second to measure its steps and
    evaluations. With the cells on which others stand, in the order in which they would run.
    Raises a SynthbenchError where `evaluate_cells` would before it trains.
    """
    settings, store = settings or Settings(), Store.read(Path(out))
    if settings.resume:
        cells = store.looked_at_as_often(cells)
    prepared, device = prepare(cells, store, settings)
    earlier = finished_replicas(prepared, Machine.here(device), settings)
    return [
        forecast(each.cell, each.facts, device, settings, finished)
        for each, finished in zip(prepared, earlier, strict=True)
    ]


def forecast(
    cell: Cell, facts: CellFacts, device: torch.device, settings: Settings, finished: int = 0
) -> Forecast:
    """What one cell would take, of which so many replicas are finished."""
    replicas = cell.protocol.seeds - finished
    flops = replicas * cell.steps * facts.step_flops
    if not replicas:
        return Forecast(cell, finished, 0, 0, 0.0, 0)
    with threads(1):
        blocks, measured = _rehearsed(cell, facts, device, settings, finished)
    points = len(evaluation_steps(cell.steps, cell.protocol.resolution))
    each = cell.steps * measured.step + points * measured.evaluation
    setup = measured.first + (len(blocks) - 1) * measured.again
    width = blocks[0].width
    memory = measured.peak
    if memory is None:
        memory = measured.held + data_bytes(cell, width)
    return Forecast(cell, finished, replicas, flops, setup + replicas * each, memory)


def _rehearsed(
    cell: Cell, facts: CellFacts, device: torch.device, settings: Settings, finished: int
) -> tuple[list[Block], Rehearsal]:
    """The blocks in which the rest would be trained, and what was measured of the first one."""
    alone = replace(cell, teacher=None)
    untaught = cache(lambda: stacked_functions(alone, facts.ways.right[0]))
    wanted, seeds = settings.replicas_per_block, cell.replica_seeds()[finished:]
    began = time.monotonic()
    chosen = choose_way(cell, facts, device, wanted, untaught)
    way, widest = chosen.way, chosen.widest
    choosing = time.monotonic() - began
    accelerator, execution = settings.trainer.accelerator, Execution(way, facts.ways.draws)
    if way is Way.PLAIN:
        blocks = split_blocks(seeds, widest, finished, stacked=False)
        tried = blocks[0].seeds[:PLAIN_REHEARSED]
        few = Block(finished, tried, len(tried))
        found = rehearse(cell, few, accelerator, execution, None)
        held = found.held * blocks[0].width // len(tried)
        return blocks, replace(found, first=choosing + found.first, held=held)
    functions = untaught() if cell.teacher is None else stacked_functions(cell, way)

    def tried_with(widest: int) -> tuple[list[Block], Rehearsal]:
        blocks = split_blocks(seeds, widest, finished)
        found = rehearse(cell, blocks[0], accelerator, execution, functions)
        return blocks, replace(found, first=choosing + found.first)

    with memory_errors(cell.model.label()):
        return with_less_memory(tried_with, widest, NARROWEST)
