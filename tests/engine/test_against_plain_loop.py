"""The engine against the one-seed world: a hand-written PyTorch loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torch import nn

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, seed_word

STEPS, REPLICAS, BATCH = 100, 3, 32


def train_by_hand(
    model: sb.Model,
    task: sb.Task,
    seed: int,
    build: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] | None = None,
) -> dict[str, torch.Tensor]:
    """One seed, no stacking, no vmap, no Lightning: the same data and initial weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_word(seed, Purpose.INIT))
        module = model.build(task.interface).double()
    recipe = model.recipe
    if build is not None:
        optimizer = build(module.parameters())
    elif recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(module.parameters(), lr=recipe.lr)
    else:
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay
        )
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    for step in range(STEPS):
        batch = task.sample(world, Stream.from_seed(seed, Purpose.TRAIN, step), BATCH)
        loss = torch.relu(1 - batch.y.double() * module(batch.x.double())).mean()
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            optimizer.step()
    return {name: p.detach() for name, p in module.named_parameters()}


@pytest.mark.parametrize(
    "reference", ["mlp width=50", "mlp width=50 optimizer=adamw lr=0.01 weight_decay=0.1"]
)
def test_weights_after_100_steps_agree(reference: str, tmp_path: Path) -> None:
    """In double precision: in single, rounding can take a sample across the hinge's kink."""
    registry = installed()
    task, model = registry.task("sparse-parity n=20 k=3"), registry.model(reference)
    protocol = sb.Protocol(budget=STEPS * BATCH, seeds=REPLICAS, until="budget", resolution=1.0,
                           precision="64-true", evaluation_samples=128)  # fmt: skip
    cell = Cell(task, model, protocol)
    block = Block(0, tuple(cell.replica_seeds()), REPLICAS)
    result = train_block(cell, block, TrainerOptions("cpu"), BY_DEFAULT, tmp_path / "checkpoint")
    for seed in range(REPLICAS):
        for name, expected in train_by_hand(model, task, seed).items():
            torch.testing.assert_close(result.weights[name][seed], expected, rtol=1e-9, atol=1e-11)


def samples_to_target_by_hand(seeds: int, n: int, k: int, width: int, last: int) -> list[int]:
    """Everything independent of the project but the evaluation points: torch's own RNG.

    The networks share nothing but the loop: batched matrix products, and one loss, the sum of
    theirs, whose gradients are those of each alone.
    """
    generator = torch.Generator().manual_seed(10_000)
    supports = torch.stack([torch.randperm(n, generator=generator)[:k] for _ in range(seeds)])

    def draw(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randint(0, 2, (seeds, size, n), generator=generator).float() * 2 - 1
        return x, x.gather(2, supports[:, None].expand(seeds, size, k)).prod(2)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [(nn.Linear(n, width), nn.Linear(width, 1)) for _ in range(seeds)]
    weights = [
        torch.stack([w.detach() for w in each]).requires_grad_()
        for each in zip(*map(parameters_of, layers), strict=True)
    ]

    def output(x: torch.Tensor) -> torch.Tensor:
        first, shift, second, offset = weights
        hidden = torch.relu(x @ first.mT + shift[:, None])
        return (hidden @ second.mT + offset[:, None]).squeeze(2)

    held_out, points = draw(1024), set(evaluation_steps(last, 0.05))
    optimizer = torch.optim.SGD(weights, lr=0.1)
    above_since: list[int | None] = [None] * seeds
    found: dict[int, int] = {}
    for step in range(last):
        if step in points:
            with torch.no_grad():
                right = torch.sign(output(held_out[0])) == held_out[1]
            for seed, above in enumerate((right.float().mean(1) >= 0.98).tolist()):
                begun = above_since[seed]
                if above and begun is not None:
                    found.setdefault(seed, begun * BATCH)
                above_since[seed] = step if above else None
            if len(found) == seeds:
                return [found[seed] for seed in range(seeds)]
        x, y = draw(BATCH)
        loss = torch.relu(1 - y * output(x)).mean(1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"{seeds - len(found)} seeds did not solve the task in {last} steps")


def parameters_of(layers: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Weight and bias of each layer, in order."""
    return [parameter for layer in layers for parameter in layer.parameters()]


def test_samples_to_target_have_the_same_distribution(out: Path, settings: sb.Settings) -> None:
    n, k, width, seeds = 10, 2, 64, 64
    result = sb.evaluate(
        f"sparse-parity n={n} k={k}",
        f"mlp width={width}",
        protocol=sb.Protocol(budget=5_000 * BATCH, seeds=seeds),
        out=out,
        settings=sb.Settings(settings.trainer, replicas_per_block=seeds),
    )
    ours = [replica.samples_to_target for replica in result.record.replicas]
    theirs = samples_to_target_by_hand(seeds, n, k, width, 5_000)
    assert None not in ours
    assert ks_2samp(ours, theirs).pvalue > 0.01
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.1)
