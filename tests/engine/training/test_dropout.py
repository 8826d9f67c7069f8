"""Dropout whose masks belong to (seed, step): independent replicas, resumable, in every way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.training.block_training import BlockResult
from synthbench.plan.cell import Cell
from tests.engine.authored import Plain
from tests.engine.test_replica_independence import rows, train


class DroppingNet(nn.Module):
    """Two places where entries are dropped."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(n, 16), nn.Linear(16, 1)
        self.early, self.late = nn.Dropout(0.2), nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.late(torch.relu(self.first(self.early(x))))).squeeze(-1)


class Dropping(Plain):
    """A network with dropout."""

    name: ClassVar[str] = "dropping"

    def build(self, interface: sb.Interface) -> nn.Module:
        return DroppingNet(interface.input.shape[0])


@pytest.fixture(scope="module")
def dropping_cell(small_cell: Cell) -> Cell:
    return replace(
        small_cell,
        model=Dropping(),
        protocol=small_cell.protocol.model_copy(
            update={"budget": 960, "until": "budget", "resolution": 0.3}
        ),
    )


@pytest.fixture(scope="module")
def dropped(dropping_cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> BlockResult:
    """Two replicas."""
    return train(dropping_cell, [0, 1], 2, tmp_path_factory.mktemp("dropped"))


def test_synthbench_s_own_name_is_torch_s_dropout() -> None:
    assert sb.Dropout is nn.Dropout


@pytest.mark.parametrize("way", [Way.TRACED, Way.PLAIN])
def test_a_replica_does_not_depend_on_its_company(
    way: Way, dropping_cell: Cell, tmp_path: Path
) -> None:
    everyone = train(dropping_cell, list(range(6)), 6, tmp_path, way, intercepted=True)
    some = train(dropping_cell, [9, 3], 2, tmp_path, way, intercepted=True)
    assert rows(everyone, 3).equals(rows(some, 1))
    for name in everyone.weights:
        assert torch.equal(everyone.weights[name][3], some.weights[name][1]), name


@pytest.mark.parametrize("way", [Way.STACKED, Way.PLAIN])
def test_masks_are_the_same_in_every_way(
    way: Way, dropping_cell: Cell, dropped: BlockResult, tmp_path: Path
) -> None:
    found = train(dropping_cell, [0, 1], 2, tmp_path, way, intercepted=True)
    for name in dropped.weights:
        torch.testing.assert_close(dropped.weights[name], found.weights[name])


def test_masks_change_the_training_and_vanish_in_evaluation(
    dropping_cell: Cell, dropped: BlockResult, tmp_path: Path
) -> None:
    class Whole(Dropping):
        name: ClassVar[str] = "whole"

        def build(self, interface: sb.Interface) -> nn.Module:
            module = DroppingNet(interface.input.shape[0])
            module.early, module.late = nn.Dropout(0.0), nn.Dropout(0.0)
            return module

    whole = train(replace(dropping_cell, model=Whole()), [0, 1], 2, tmp_path)
    start = [rows(result, 0).slice(0, 1)["accuracy"].to_pylist() for result in (dropped, whole)]
    assert start[0] == start[1], "the same weights are evaluated without masks"
    assert not torch.equal(dropped.weights["first.weight"], whole.weights["first.weight"])


def test_inspection_finds_that_it_draws(small_cell: Cell) -> None:
    ways = inspect_cell(replace(small_cell, model=Dropping())).ways
    assert ways.right[0] is Way.TRACED and ways.draws.intercepted and not ways.draws.generators
