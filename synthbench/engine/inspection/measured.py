"""Scoring two replicas before training, and running each probe on them once."""

from __future__ import annotations

from dataclasses import replace

import torch

from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Replicas
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.reasons import stacking_reason
from synthbench.engine.inspection.ways import ROUNDING, Tried, Ways, close, naming
from synthbench.engine.training.references import Columns
from synthbench.engine.training.scoring import LOSS, Evaluator
from synthbench.metrics.score_names import base_name
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of


@torch.no_grad()
def check_measured(cell: Cell, tried: Tried, seeds: list[int]) -> Ways:
    """The ways in which two replicas can be scored, too, and looked at by every probe.

    Raises ModelError, saying what failed, where that is none.
    """
    ways, of_plain = tried.ways, _evaluator(cell, tried.plain, Way.PLAIN, seeds)
    with naming(f'model "{cell.model.label()}"', "evaluated"):
        expected = _scores(of_plain, tried.plain)
    if tried.stacked is not None:
        # The parameters at which the plain modules stand.
        stacked = tried.stacked.with_state(
            {n: p.detach().clone() for n, p in tried.plain.parameters.items()},
            {n: b.clone() for n, b in tried.plain.buffers.items()},
        )
        evaluator = _evaluator(cell, stacked, ways.right[0], seeds)
        reason = _difference(evaluator, stacked, expected)
        if reason is None:
            _check_probes(cell, evaluator, stacked)
            # Which probes work on plain modules is not known.
            return replace(ways, right=ways.right[:1]) if cell.probes else ways
        ways = ways.without_stack(reason)
    _check_probes(cell, of_plain, tried.plain)
    return ways


def _evaluator(
    cell: Cell, replicas: Replicas | PlainReplicas, way: Way, seeds: list[int]
) -> Evaluator:
    small = cell.protocol.model_copy(update={"evaluation_samples": cell.protocol.evaluation_batch})
    keys = keys_of(seeds)
    worlds = draw_worlds(cell.task, keys)
    training = training_data(cell, worlds, keys).samples_at(0)
    evaluator = Evaluator(replace(cell, protocol=small), replicas, way)
    evaluator.prepare(worlds, keys, keys, torch.float32, training)
    return evaluator


def _scores(evaluator: Evaluator, replicas: Replicas | PlainReplicas) -> Columns:
    return evaluator.measure_scores(replicas.parameters, replicas.buffers).columns


def _difference(evaluator: Evaluator, stacked: Replicas, expected: Columns) -> str | None:
    try:
        found = _scores(evaluator, stacked)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return stacking_reason(error)
    losses = [name for name in expected if base_name(name) == LOSS]
    tensors = [(torch.from_numpy(found[n]), torch.from_numpy(expected[n])) for n in losses]
    same = all(close(own, plain, ROUNDING) for own, plain in tensors)
    return None if same else "stacked, it has another loss in evaluation mode"


def _check_probes(cell: Cell, evaluator: Evaluator, replicas: Replicas | PlainReplicas) -> None:
    for probe in cell.probes:
        with naming(f'probe "{probe.name}"', "evaluated"):
            evaluator.measure_probe(probe, replicas.parameters, replicas.buffers)
