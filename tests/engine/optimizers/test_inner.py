"""What a plugin may build for a replica."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from synthbench.engine.inspection.cell import inspect_cell
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell
from tests.engine.optimizing import NormalizedStep, optimizer, with_optimizer


def boom(*_: object) -> None:
    raise RuntimeError("no such layer")


class Failing(NormalizedStep):
    """Raises in its step."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        raise ValueError("cannot step")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (boom, 'optimizer "made" cannot be built: RuntimeError: no such layer'),
        (lambda p, r: torch.optim.Muon(p.values()), "this one for the matrices, torch.optim.AdamW"),
        (lambda p, r: torch.optim.SparseAdam(list(p.values())), "does not support dense gradients"),
        (lambda p, r: "sgd", "must return torch.optim.Optimizer objects, got 'sgd'"),
        (lambda p, r: torch.optim.SGD(list(p.values())[:1]), '"first.bias" is in none'),
        (lambda p, r: [torch.optim.SGD(p.values()), torch.optim.SGD(p.values())], "there twice"),
        (lambda p, r: torch.optim.SGD([*p.values(), nn.Parameter(torch.ones(1))]), "no parameter"),
        (lambda p, r: Failing(list(p.values()), 0.1, 0.9), "fails in step: ValueError: cannot"),
    ],
    ids=["raises", "muon", "sparse", "a word", "left out", "twice", "stranger", "step"],
)
def test_what_an_optimizer_may_not_do(build: Any, message: str, small_cell: Cell) -> None:
    cell = with_optimizer(small_cell, optimizer(build))
    with pytest.raises(ModelError) as caught:
        inspect_cell(cell)
    assert message in str(caught.value).replace("hidden.0.bias", "first.bias")
    assert "\n" not in str(caught.value)
