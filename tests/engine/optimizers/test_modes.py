"""Optimizers whose weights to be judged are not those that are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.optimizers.needs import LOOPED, VMAPPED
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from tests.engine.optimizers.asking import AveragingStep, ReadingAveragingStep
from tests.engine.optimizers.stepping import RECIPE, draws, needs_of
from tests.engine.optimizing import torch_optimizer, with_optimizer
from tests.engine.test_against_plain_loop import BATCH, STEPS, train_by_hand


def trained(cell: Cell, path: Path) -> BlockResult:
    block = Block(0, tuple(cell.replica_seeds()), 4)
    return train_block(cell, block, TrainerOptions("cpu"), BY_DEFAULT, path / "checkpoint")


def in_double(cell: Cell, kind: type[torch.optim.Optimizer], **options: Any) -> Cell:
    protocol = sb.Protocol(
        budget=STEPS * BATCH, seeds=2, until="budget", precision="64-true",
        evaluation_samples=128, resolution=0.5,
    )  # fmt: skip
    chosen = torch_optimizer(kind, **options)
    return replace(with_optimizer(cell, chosen, lr=0.05), protocol=protocol)


class Evaluating:
    """An optimizer of a plain loop, put in its modes where training evaluates."""

    def __init__(self, optimizer: Any, points: list[int]) -> None:
        self._optimizer, self._points, self._steps = optimizer, points, 0
        self.zero_grad = optimizer.zero_grad
        optimizer.train()
        self._evaluate()

    def step(self) -> None:
        self._optimizer.step()
        self._steps += 1
        self._evaluate()

    def _evaluate(self) -> None:
        if self._steps in self._points:
            self._optimizer.eval()
            if self._steps != self._points[-1]:
                self._optimizer.train()


def agrees_with_a_plain_loop(cell: Cell, build: Callable[[Any], Any], path: Path) -> None:
    points = list(evaluation_steps(cell.steps, cell.protocol.resolution))
    weights = trained(cell, path).weights
    for seed in range(2):
        expected = train_by_hand(
            cell.model, cell.task, seed, lambda p: Evaluating(build(list(p)), points)
        )
        for name, tensor in expected.items():
            torch.testing.assert_close(weights[name][seed], tensor, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", [AveragingStep, ReadingAveragingStep])
def test_kept_weights_are_the_averaged_ones_of_a_plain_loop(
    kind: type[AveragingStep], small_cell: Cell, tmp_path: Path
) -> None:
    looped = needs_of(torch_optimizer(kind)).loop_reason is not None
    assert looped == (kind is ReadingAveragingStep)
    agrees_with_a_plain_loop(in_double(small_cell, kind), lambda p: kind(p, 0.05), tmp_path)


@pytest.mark.parametrize("name", ["SGDScheduleFree", "AdamWScheduleFree"])
def test_schedule_free_is_that_of_a_plain_loop(name: str, small_cell: Cell, tmp_path: Path) -> None:
    kind = getattr(pytest.importorskip("schedulefree"), name)
    # Its faster form is given up for the one that vmap knows.
    cell = in_double(small_cell, kind, foreach=False)
    agrees_with_a_plain_loop(cell, lambda p: kind(p, lr=0.05, foreach=False), tmp_path)


def test_scores_are_those_of_the_weights_to_be_judged(small_cell: Cell, tmp_path: Path) -> None:
    class NothingToJudge(AveragingStep):
        """Judged by weights of zero, whose hinge loss is 1."""

        def eval(self) -> None:
            super().eval()
            with torch.no_grad():
                for p in self.param_groups[0]["params"]:
                    p.zero_()

    cell = with_optimizer(small_cell, torch_optimizer(NothingToJudge), lr=0.05)
    protocol = sb.Protocol(
        budget=640, seeds=4, until="budget", evaluation_samples=128, resolution=0.2
    )
    result = trained(replace(cell, protocol=protocol), tmp_path)
    of_replica = result.table.filter(pc.field("replica") == 0)
    assert set(of_replica["loss"].to_pylist()[1:]) == {1.0}, "after the first step"
    assert all(not tensor.any() for tensor in result.weights.values())
    assert min(result.table["train_loss"].to_pylist()[-3:]) < 1.0


@pytest.mark.parametrize("needs", [LOOPED, VMAPPED], ids=["looped", "vmapped"])
def test_a_replica_that_has_diverged_stays_so(needs: Any) -> None:
    start, gradients = draws()
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    stepper = ReplicaOptimizer(torch_optimizer(AveragingStep), RECIPE, stacked, needs)
    for index, step in enumerate(gradients):
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        if index == 3:
            stacked["first.bias"].grad[2, 0] = torch.nan
        stepper.step()
    with stepper.evaluated():
        judged = {name: tensor.clone() for name, tensor in stacked.items()}
    for name, tensor in stacked.items():
        assert tensor[2].isnan().all() and judged[name][2].isnan().all()
        assert judged[name][:2].isfinite().all() and not torch.equal(judged[name][0], tensor[0])
