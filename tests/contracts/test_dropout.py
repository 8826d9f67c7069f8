"""Dropout whose masks belong to (seed, step): independent replicas, resumable, exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.contracts.dropout import number_dropouts
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.training.block import BlockResult
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell
from tests.engine.authored import Plain
from tests.engine.test_replica_independence import rows, train


class DroppingNet(nn.Module):
    """Two places where entries are dropped."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(n, 16), nn.Linear(16, 1)
        self.early, self.late = sb.Dropout(0.2), sb.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.late(torch.relu(self.first(self.early(x))))).squeeze(-1)


class Dropping(Plain):
    """A network with dropout."""

    name: ClassVar[str] = "dropping"

    def build(self, interface: sb.Interface) -> nn.Module:
        return DroppingNet(interface.input.shape[0])


class TorchDropout(Plain):
    """A network with torch's dropout, which draws from the global generator."""

    name: ClassVar[str] = "torch-dropout"

    def build(self, interface: sb.Interface) -> nn.Module:
        return nn.Sequential(nn.Linear(interface.input.shape[0], 1), nn.Dropout(0.5), nn.Flatten(0))


@pytest.fixture(scope="module")
def dropping_cell(small_cell: Cell) -> Cell:
    return replace(
        small_cell,
        model=Dropping(),
        protocol=small_cell.protocol.model_copy(update={"budget": 3_200, "until": "budget"}),
    )


@pytest.fixture(scope="module")
def dropped(dropping_cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> BlockResult:
    """Two replicas."""
    return train(dropping_cell, [0, 1], 2, tmp_path_factory.mktemp("dropped"))


def test_the_share_kept_its_scale_and_what_a_mask_depends_on() -> None:
    layer, x = sb.Dropout(0.3), torch.ones(200, 500)
    layer.stream.copy_(torch.tensor([1, 2, 7]))
    first = layer(x)
    kept = first != 0
    assert abs(float(kept.float().mean()) - 0.7) < 4 * (0.21 / 100_000) ** 0.5
    assert torch.equal(first[kept], torch.full_like(first[kept], 1 / 0.7))
    assert torch.equal(layer(x), first), "a function of seed and step"
    for changed in ([1, 2, 8], [1, 3, 7], [0, 2, 7]):
        layer.stream.copy_(torch.tensor(changed))
        agreement = float(((layer(x) != 0) == kept).float().mean())
        assert agreement == pytest.approx(0.7**2 + 0.3**2, abs=0.01), "independent masks agree so"
    assert torch.equal(layer.eval()(x), x)


def test_two_places_have_masks_of_their_own() -> None:
    pair = nn.Sequential(sb.Dropout(0.5), sb.Dropout(0.5))
    number_dropouts(pair)
    masks = [layer(torch.ones(100, 100)) for layer in pair]
    assert float((masks[0] == masks[1]).float().mean()) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_impossible_shares_are_refused(p: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        sb.Dropout(p)


def test_a_replica_does_not_depend_on_its_company(dropping_cell: Cell, tmp_path: Path) -> None:
    everyone = train(dropping_cell, list(range(6)), 6, tmp_path)
    some = train(dropping_cell, [9, 3], 2, tmp_path)
    assert rows(everyone, 3).equals(rows(some, 1))
    for name in everyone.weights:
        assert torch.equal(everyone.weights[name][3], some.weights[name][1]), name


def test_vmapped_is_looped(dropping_cell: Cell, dropped: BlockResult, tmp_path: Path) -> None:
    looped = train(dropping_cell, [0, 1], 2, tmp_path, looped=True)
    for name in dropped.weights:
        torch.testing.assert_close(dropped.weights[name], looped.weights[name])


def test_masks_change_the_training_and_vanish_in_evaluation(
    dropping_cell: Cell, dropped: BlockResult, tmp_path: Path
) -> None:
    class Whole(Dropping):
        name: ClassVar[str] = "whole"

        def build(self, interface: sb.Interface) -> nn.Module:
            module = DroppingNet(interface.input.shape[0])
            module.early, module.late = sb.Dropout(0.0), sb.Dropout(0.0)
            return module

    whole = train(replace(dropping_cell, model=Whole()), [0, 1], 2, tmp_path)
    start = [rows(result, 0).slice(0, 1)["accuracy"].to_pylist() for result in (dropped, whole)]
    assert start[0] == start[1], "the same weights are evaluated without masks"
    assert not torch.equal(dropped.weights["first.weight"], whole.weights["first.weight"])


def test_it_passes_inspection_and_torch_s_does_not(small_cell: Cell) -> None:
    assert inspect_cell(replace(small_cell, model=Dropping())).loop_reason is None
    with pytest.raises(ModelError, match=r"synthbench\.Dropout"):
        inspect_cell(replace(small_cell, model=TorchDropout()))
