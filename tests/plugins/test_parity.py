"""Sparse parity against enumeration of all 2^n inputs."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream


def parity(fields: str) -> sb.Task:
    return installed().task(f"sparse-parity {fields}")


def every_input(n: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([-1.0, 1.0], repeat=n)))


def test_labels_are_the_product_over_the_support() -> None:
    task = parity("n=12 k=4")
    world = task.world(Stream.from_seed(3, Purpose.WORLD))
    batch = task.sample(world, Stream.from_seed(3, Purpose.TRAIN), 64)
    assert batch.x.shape == (64, 12) and batch.y.shape == (64,)
    for x, y in zip(batch.x, batch.y, strict=True):
        assert y == math.prod(x[i].item() for i in world)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_reference_scores_are_exact_over_all_inputs(k: int) -> None:
    task = parity(f"n=6 k={k}")
    world = task.world(Stream.from_seed(k, Purpose.WORLD))
    x = every_input(6)
    batch = sb.Batch(x, x[:, world].prod(1))
    exact = task.exact_scores()
    references = task.references(world, batch)
    assert next(iter(references)) == "trivial" and list(references)[-1] == "optimal"
    assert set(exact) == set(references)
    for name, output in references.items():
        assert task.score(output, batch)["accuracy"].item() == exact[name]


def test_any_predictor_that_misses_a_coordinate_is_right_half_of_the_time() -> None:
    n, k = 5, 3
    task, x = parity(f"n={n} k={k}"), every_input(5)
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    batch = sb.Batch(x, x[:, world].prod(1))
    missing = int(world[0])
    for seed in range(20):
        # A random function of the other four coordinates.
        table = torch.randn(2**n, generator=torch.Generator().manual_seed(seed))
        others = [i for i in range(n) if i != missing]
        index = ((x[:, others] > 0).long() * 2 ** torch.arange(n - 1)).sum(1)
        assert task.score(table[index], batch)["accuracy"].item() == 0.5


def test_noise_flips_that_share_of_labels_and_bounds_the_optimum() -> None:
    task = parity("n=10 k=2 noise=0.2")
    world = task.world(Stream.from_seed(1, Purpose.WORLD))
    batch = task.sample(world, Stream.from_seed(1, Purpose.TRAIN), 20_000)
    clean = batch.x[:, world].prod(1)
    flipped = int((batch.y != clean).sum())
    assert stats.binomtest(flipped, 20_000, 0.2).pvalue > 1e-3
    assert task.exact_scores()["optimal"] == 0.8
    optimum = task.score(task.references(world, batch)["optimal"], batch)["accuracy"].item()
    assert optimum == pytest.approx(1 - flipped / 20_000)


def test_supports_are_uniform_over_subsets() -> None:
    task = parity("n=7 k=2")
    keys = torch.stack([torch.arange(4200), torch.zeros(4200, dtype=torch.int64)], 1)
    worlds = torch.vmap(lambda key: task.world(Stream(key, Purpose.WORLD)))(keys)
    counts = torch.unique(worlds, dim=0, return_counts=True)[1]
    assert len(counts) == math.comb(7, 2)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_margin_losses_at_hand_computed_points() -> None:
    batch = sb.Batch(torch.zeros(2, 1), torch.tensor([1.0, -1.0]))
    output = torch.tensor([0.5, 2.0])
    losses = {name: loss(output, batch).item() for name, loss in sb.MARGIN_LOSSES.items()}
    assert losses["hinge"] == pytest.approx((0.5 + 3.0) / 2)
    assert losses["logistic"] == pytest.approx(
        (math.log1p(math.exp(-0.5)) + math.log1p(math.exp(2))) / 2
    )
    assert losses["square"] == pytest.approx((0.25 + 9.0) / 2)
    assert losses["correlation"] == pytest.approx((-0.5 + 2.0) / 2)
