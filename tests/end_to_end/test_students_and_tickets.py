"""Cells that stand on others against plain loops: students of checkpoints, a rewound ticket.

`pytest -m slow` adds one checkpoint alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench_parity.task import SparseParity

TASK = SparseParity(n=14, k=3)
STEPS, BATCH = 80, 16
PROTOCOL = sb.Protocol(
    seeds=2,
    budget=STEPS * BATCH,
    until="budget",
    evaluation_samples=256,
    evaluation_batch=128,
    resolution=0.3,
)
RECIPE = sb.Recipe(optimizer="adam", lr=0.02, batch_size=BATCH)


class SmallNetwork(nn.Module):
    """Sixteen hidden neurons between signs and a margin."""

    def __init__(self, interface: sb.Interface) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(interface.input.shape[-1], 16), nn.ReLU(), nn.Linear(16, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) -> (B,)."""
        return self.layers(x).squeeze(-1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    """A network, all of whose evaluations are kept."""
    return evaluated(tmp_path_factory.mktemp("teacher"), "network")


def evaluated(out: Path, name: str, **sources: object) -> sb.CellResult:
    settings = sb.Settings(
        sb.TrainerOptions(accelerator="cpu"), replicas_per_block=2, keep_weights="all"
    )
    model = sb.as_model(SmallNetwork, RECIPE, name)
    return sb.evaluate(TASK, model, protocol=PROTOCOL, out=out, settings=settings, **sources)


def training_batch(replica: int, step: int) -> sb.Batch:
    world = TASK.world(sb.Stream.from_seed(replica, sb.Purpose.WORLD))
    return TASK.sample(world, sb.Stream.from_seed(replica, sb.Purpose.TRAIN, step), BATCH)


def student_by_hand(
    start: torch.nn.Module, teachers: list[torch.nn.Module], replica: int
) -> torch.nn.Module:
    """A plain loop: Adam on the Kullback-Leibler divergence from one teacher after the other."""
    optimizer = torch.optim.Adam(start.parameters(), lr=0.02)
    for step in range(STEPS):
        x = training_batch(replica, step).x
        with torch.no_grad():
            chance = teachers[step * len(teachers) // STEPS](x).sigmoid()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(start(x), chance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return start


@pytest.mark.parametrize("at", [pytest.param(40, marks=pytest.mark.slow), (20, 40, "last")])
def test_a_student_of_intermediate_checkpoints(
    trained: sb.CellResult, tmp_path: Path, at: int | tuple[int | str, ...]
) -> None:
    teacher = sb.Teacher(trained, at)
    result = evaluated(tmp_path, "student", teacher=teacher)
    for replica in range(2):
        moments = at if isinstance(at, tuple) else (at,)
        teachers = [trained.network(replica, None if m == "last" else m) for m in moments]
        by_hand = student_by_hand(result.network(replica, 0), teachers, replica)
        student = dict(result.network(replica).named_parameters())
        for name, parameter in by_hand.named_parameters():
            assert torch.allclose(parameter, student[name], atol=2e-4), name
    last = [
        [row for row in found.trajectories if row["replica"] == 0][-1]
        for found in (result, trained)
    ]
    assert last[0]["accuracy"] != last[1]["accuracy"]


def test_a_pruned_network_rewound(trained: sb.CellResult, tmp_path: Path) -> None:
    """A lottery ticket: the smallest final weights are gone, the others are as at step 20."""
    start, mask = sb.Weights(trained, 20), sb.Mask(trained, sparsity=0.5)
    ticket = evaluated(tmp_path, "ticket", start=start, mask=mask)
    for replica in range(2):
        early, final = (
            dict(trained.network(replica, step).named_parameters()) for step in (20, None)
        )
        matrices = [name for name, parameter in final.items() if parameter.dim() > 1]
        sizes = torch.cat([final[name].detach().abs().flatten() for name in matrices])
        threshold = sizes.sort().values[sizes.numel() // 2]
        begun, ended = (dict(ticket.network(replica, s).named_parameters()) for s in (0, None))
        for name, parameter in early.items():
            kept = final[name].abs() >= threshold if name in matrices else torch.ones(()) > 0
            assert torch.equal(begun[name], parameter * kept)
            gone = (~kept).expand_as(parameter)
            assert (ended[name][gone] == 0).all()
            assert (ended[name][~gone] != begun[name][~gone]).any()
