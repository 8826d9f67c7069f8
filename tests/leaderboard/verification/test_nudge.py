"""Weights with other last bits: how large, how seeded, when."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.engine.training.block import Block
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.evaluation.planning import resolve_model, resolve_task
from synthbench.leaderboard.verification.nudge import COARSEST, LAST_BITS, Nudge
from synthbench.plan.cell import Cell


def weights(precision: str, *seeds: int) -> dict[str, torch.Tensor]:
    """Those of two replicas, nudged by each seed in turn."""
    protocol = sb.Protocol(budget=64, seeds=2, precision=precision)
    cell = Cell(resolve_task("sparse-parity n=6 k=2"), resolve_model("mlp width=4"), protocol)
    module = ReplicaTraining(cell, Block(0, tuple(cell.replica_seeds()), 2))
    for seed in seeds:
        Nudge(seed).on_fit_start(cast(pl.Trainer, None), module)
    return {name: tensor.detach().clone() for name, tensor in module.parameters_by_name.items()}


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-true"])
def test_every_weight_moves_by_its_last_bits(precision: str) -> None:
    before, after = weights(precision), weights(precision, 1)
    moved = []
    for name, own in before.items():
        assert own.dtype == after[name].dtype
        moved.append((after[name].double() / own.double() - 1).abs()[own != 0])
    eps = torch.finfo(next(iter(before.values())).dtype).eps
    reach = min(LAST_BITS * eps, COARSEST)
    assert 0.9 * reach < torch.cat(moved).max() <= reach + eps


def test_a_seed_decides() -> None:
    one, same, other = (weights("32-true", seed) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
    first, second = next(iter(one.values()))
    assert not torch.equal(first, second)


def test_weights_move_again_after_every_evaluation() -> None:
    protocol = sb.Protocol(budget=64, seeds=2)
    cell = Cell(resolve_task("sparse-parity n=6 k=2"), resolve_model("mlp width=4"), protocol)
    module = ReplicaTraining(cell, Block(0, tuple(cell.replica_seeds()), 2))
    nudge, trainer = Nudge(1), cast(pl.Trainer, None)
    initial = module.parameters_by_name
    seen = [{name: tensor.detach().clone() for name, tensor in initial.items()}]
    nudge.on_fit_start(trainer, module)
    for _ in range(2):
        nudge.on_train_epoch_end(trainer, module)
        own = module.parameters_by_name
        seen.append({name: tensor.detach().clone() for name, tensor in own.items()})
    matrix = max(initial, key=lambda name: initial[name].numel())
    assert not any(torch.equal(one[matrix], two[matrix]) for one, two in pairwise(seen))
    reach = 3 * LAST_BITS * torch.finfo(torch.float32).eps
    assert torch.allclose(seen[0][matrix], seen[2][matrix], rtol=reach, atol=0)
