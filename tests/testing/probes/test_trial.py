"""The kit shows a probe what training would show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.training.scoring import Evaluator
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of
from synthbench.testing.probes.trial import COMPANY, SIZE, ProbeTrial


class Everything(sb.Probe):
    """A number from each thing that a view holds."""

    name: ClassVar[str] = "everything"

    def measure(self, view: sb.View) -> Mapping[str, Tensor]:
        fresh = view.sample(5)
        output = view.forward(view.parameters, fresh.x)
        inside = view.record(view.initial, view.batch.x).outputs
        return {
            "fresh": view.loss(output, fresh),
            "held-out": view.loss(view.forward(view.parameters, view.batch.x), view.batch),
            "inside": torch.stack([tensor.norm() for tensor in inside.values()]).sum(),
            "world": view.world.float().mean(),
            "rng": view.rng.normal(()),
            "task": torch.tensor(view.task.target),
        }


def test_its_view_is_that_of_training(small_cell: Cell) -> None:
    probe = Everything()
    trial = ProbeTrial(probe, small_cell.task, small_cell.model)
    watched, keys = trial.untrained(), keys_of(list(COMPANY))
    protocol = sb.Protocol(evaluation_samples=SIZE, evaluation_batch=SIZE)
    cell = replace(small_cell, probes=(probe,), protocol=protocol)
    evaluator = Evaluator(cell, watched.module, Way.STACKED)
    evaluator.prepare(draw_worlds(cell.task, keys), keys, keys, torch.float32)
    columns = evaluator.measure(watched.parameters, watched.buffers).columns
    values = trial.together(watched)
    assert len(values) == 6
    for name, found in values.items():
        assert torch.equal(torch.from_numpy(columns[f"everything/{name}"]), found.double()), name
