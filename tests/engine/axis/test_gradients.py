"""The traced training step against autograd, replica by replica."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_map

import synthbench as sb
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import stack_modules
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import draw_batches, draw_worlds
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose, keys_of

NOISE = torch.arange(3)


@pytest.fixture
def pieces(small_cell: Cell):
    modules = build_modules(small_cell.model, small_cell.task.interface, [0, 1, 2])
    replicas = stack_modules(small_cell.model, modules, small_cell.interface)
    keys = keys_of([0, 1, 2])
    worlds = draw_worlds(small_cell.task, keys)
    batches = draw_batches(small_cell.task, worlds, keys, Purpose.TRAIN, range(4), 32)
    return Objective(replicas, recipe_loss(small_cell.task, small_cell.model)), batches


@pytest.mark.parametrize("way", [Way.TRACED, Way.STACKED])
def test_gradients_are_those_of_autograd(pieces, way: Way) -> None:
    objective, batches = pieces
    parameters = objective.network.parameters
    gradients_of = stacked_gradients(objective, way)
    for step in range(4):
        batch = sb.Batch(batches.x[step], batches.y[step])
        gradients, losses = gradients_of(parameters, {}, batch, NOISE)
        for r in range(3):
            own = {n: p[r].clone().requires_grad_() for n, p in parameters.items()}
            loss = objective(own, {}, sb.Batch(batch.x[r], batch.y[r]))
            loss.backward()
            torch.testing.assert_close(losses[r], loss.detach())
            for name, parameter in own.items():
                torch.testing.assert_close(gradients[name][r], parameter.grad)


def test_replaying_gives_the_bits_of_the_untraced_step(pieces) -> None:
    objective, batches = pieces
    gradients_of = stacked_gradients(objective)
    untraced = over_replicas(
        lambda p, b, batch: torch.func.grad_and_value(objective)(p, b, sb.Batch(*batch))
    )
    for step in range(4):
        batch = sb.Batch(batches.x[step], batches.y[step])
        # Other weights than those the trace saw.
        parameters = {n: p * (1 + step) for n, p in objective.network.parameters.items()}
        traced = gradients_of(parameters, {}, batch, NOISE)
        direct = untraced(parameters, {}, tuple(batch))
        assert all(tree_map(torch.equal, traced[0], direct[0]).values())
        assert torch.equal(traced[1], direct[1])
