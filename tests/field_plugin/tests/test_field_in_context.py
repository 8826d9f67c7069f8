"""Tasks whose truth is in the sequence, against plain Python and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from exact import world_of
from synthbench_field.icl_regression import IclRegression

import synthbench as sb


def sampled(task: sb.Task, size: int, seed: int = 0) -> tuple[object, sb.Batch]:
    world = world_of(task, seed)
    return world, task.sample(world, sb.Stream.from_seed(seed, sb.Purpose.TRAIN), size)


# Regression in context


def test_ridge_regression_by_numpy() -> None:
    task = IclRegression(d=3, examples=6, noise=0.5)
    world, batch = sampled(task, 5)
    found = task.references(world, batch)["ridge"]
    for sequence, values in zip(batch.x.double().numpy(), found.numpy(), strict=True):
        x, y = sequence[::2, :-1], sequence[1::2, -1]
        for i in range(6):
            w = np.linalg.solve(x[:i].T @ x[:i] + 0.5 * np.eye(3), x[:i].T @ y[:i])
            assert values[2 * i] == pytest.approx(w @ x[i], abs=1e-5)
    assert batch.y[:, 1::2].isnan().all() and (batch.y[:, ::2] == batch.x[:, 1::2, -1]).all()


def test_ridge_regression_scores_its_posterior_variance() -> None:
    """After k examples that is E tr (I + X'X / noise)^-1 / d, here over inputs of numpy's."""
    task = IclRegression(d=4, examples=17)
    world, batch = sampled(task, 20_000)
    output = task.references(world, batch)["optimal"]
    curve = task.score(output, batch)["by-examples"].tolist()
    x = np.random.default_rng(0).standard_normal((5000, 17, 4))
    for k, found in enumerate(curve):
        precision = np.eye(4) + np.swapaxes(x[:, :k], 1, 2) @ x[:, :k] / task.noise
        variance = np.trace(np.linalg.inv(precision), axis1=1, axis2=2).mean() / 4
        assert found == pytest.approx(variance, rel=0.08)
    # sigma^2 / (k - d - 1), where the prior no longer matters.
    assert curve[16] == pytest.approx(0.125 / 11, rel=0.08)


def test_bayes_among_a_pool_by_enumeration() -> None:
    task = IclRegression(d=2, examples=4, pool=3, noise=0.3)
    world, batch = sampled(task, 20)
    bayes = task.references(world, batch)["optimal"].double()
    pool = world.double().numpy()
    for sequence, values in zip(batch.x.double().numpy(), bayes.numpy(), strict=True):
        x, y = sequence[::2, :-1], sequence[1::2, -1]
        for i in range(4):
            chances = [math.exp(-((y[:i] - x[:i] @ w) ** 2).sum() / 0.6) for w in pool]
            means = [w @ x[i] for w in pool]
            wanted = sum(c * m for c, m in zip(chances, means, strict=True)) / sum(chances)
            assert values[2 * i] == pytest.approx(wanted, abs=1e-5)
    fresh = task.test_sets()["fresh"].sample(world, sb.Stream.from_seed(1, sb.Purpose.EVAL), 20)
    outputs = task.test_sets()["fresh"].references(world, fresh)
    assert torch.equal(outputs["optimal"], outputs["ridge"])
    assert not torch.equal(task.references(world, fresh)["optimal"], outputs["optimal"])
