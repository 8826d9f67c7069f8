"""Rates that are an optimizer's own, counters that no checkpoint holds, steps that compile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial_steps import advance
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell
from tests.engine.optimizers.asking import AdaptingStep, CompiledStep, CountingOutsideStep
from tests.engine.optimizers.stepping import RECIPE, draws, needs_of
from tests.engine.optimizing import optimizer, torch_optimizer, with_optimizer


def test_a_rate_that_the_optimizer_adapts_is_left_to_it() -> None:
    start, gradients = draws()
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    chosen = torch_optimizer(AdaptingStep)
    advance(ReplicaOptimizer(chosen, RECIPE, stacked, needs_of(chosen)), stacked, gradients)
    for name, tensor in stacked.items():
        moved = sum(RECIPE.lr * 0.5**i * step[name] for i, step in enumerate(gradients))
        torch.testing.assert_close(tensor, start[name] - moved)


def test_an_optimizer_without_a_rate_takes_no_schedule() -> None:
    chosen = optimizer(lambda p, recipe: AdaptingStep(list(p.values()), None))
    assert needs_of(chosen).loop_reason is None
    scheduled = RECIPE.model_copy(update={"schedule": "cosine"})
    with pytest.raises(ModelError, match="no learning rate that a schedule could change"):
        ReplicaOptimizer(chosen, scheduled, draws()[0], needs_of(chosen))


def test_what_a_checkpoint_does_not_hold_is_never_checkpointed(
    small_cell: Cell, tmp_path: Path
) -> None:
    chosen, path = torch_optimizer(CountingOutsideStep), tmp_path / "checkpoint"
    assert not needs_of(chosen).resumes
    short = small_cell.protocol.model_copy(
        update={"budget": 320, "until": "budget", "resolution": 0.5}
    )
    for optimizer_, written in ((chosen, False), (torch_optimizer(torch.optim.SGD), True)):
        cell = with_optimizer(replace(small_cell, protocol=short), optimizer_)
        block = Block(0, tuple(cell.replica_seeds()[:2]), 2)
        train_block(cell, block, TrainerOptions("cpu", checkpoint_seconds=0.0), BY_DEFAULT, path)
        assert path.exists() == written


def test_a_step_that_compiles_itself_runs_as_it_is_written() -> None:
    start, gradients = draws()
    chosen = torch_optimizer(CompiledStep)
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    advance(ReplicaOptimizer(chosen, RECIPE, stacked, needs_of(chosen)), stacked, gradients)
    for name, tensor in stacked.items():
        total = sum(step[name] for step in gradients)
        torch.testing.assert_close(tensor, start[name] - RECIPE.lr * total)
