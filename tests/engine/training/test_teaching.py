"""Teachers' outputs: vmapped or looped, in evaluation mode, in every precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import synthbench as sb
from synthbench.contracts.batch import Batch
from synthbench.contracts.distillation import TEACHER
from synthbench.engine.axis.replicas import build_modules
from synthbench.engine.training.teaching import teaching


class Plain(nn.Module):
    """A hidden layer, dropout, and a normalization with buffers of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.readout = nn.Linear(10, 6), nn.Linear(6, 1)
        self.normed, self.dropped = nn.BatchNorm1d(6, momentum=None), sb.Dropout(0.5)

    def forward(self, x):
        return self.readout(self.dropped(self.normed(self.hidden(x)))).squeeze(-1)


class Branching(Plain):
    """Its forward pass asks for a value, which vmap cannot give."""

    def forward(self, x):
        hidden = self.hidden(x)
        return self.readout(hidden if float(hidden.sum()) > 0 else -hidden).squeeze(-1)


@pytest.mark.parametrize("network", [Plain, Branching])
def test_outputs_are_those_of_every_replicas_own_teacher(network, small_cell: sb.Cell) -> None:
    source = replace(small_cell, model=sb.as_model(network))
    teach = teaching(replace(small_cell, teacher=sb.Teacher(source)))
    assert teach is not None
    modules = [m.eval() for m in build_modules(source.model, source.task.interface, [4, 5, 6])]
    weights = {
        name: torch.stack([module.state_dict()[name] for module in modules])
        for name in modules[0].state_dict()
    }
    before = {name: tensor.clone() for name, tensor in weights.items()}
    for seed in (0, 1):
        x = torch.randn(3, 7, 10, generator=torch.Generator().manual_seed(seed))
        batch = teach(weights, Batch(x, torch.ones(3, 7), {"own": x}))
        assert batch.latents.keys() == {"own", TEACHER}
        for r, module in enumerate(modules):
            with torch.no_grad():
                torch.testing.assert_close(batch.latents[TEACHER][r], module(x[r]))
    assert all(torch.equal(weights[name], before[name]) for name in before), "frozen"
    assert not batch.latents[TEACHER].requires_grad


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_every_precision(precision, small_cell: sb.Cell, out: Path, settings: sb.Settings) -> None:
    changes = {
        "precision": precision,
        "budget": 320,
        "seeds": 2,
        "evaluation_samples": 128,
        "resolution": 0.5,
    }
    cell = replace(small_cell, protocol=small_cell.protocol.model_copy(update=changes))
    student = replace(
        cell, start=sb.Weights(cell, 5), mask=sb.Mask(cell, sparsity=0.5),
        teacher=sb.Teacher(cell, (0, "last"), hard=0.5),
    )  # fmt: skip
    (result,) = sb.evaluate_cells([student], out, replace(settings, keep_weights=(0,)))
    assert result.trajectories.to_pandas()["train_loss"].iloc[1] > 0
    network = result.network(1)
    zeros = sum(int((p == 0).sum()) for n, p in network.named_parameters() if p.dim() > 1)
    assert zeros == round(0.5 * (10 * 16 + 16))
