"""Exact curves of regression in context, against simulation and known special cases."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench_function_classes import curves, leaves
from synthbench_function_classes.wishart import wishart_mean


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, 4), (7, 4), (3, 8), (41, 20)])
def test_moments_of_wishart_eigenvalues(rows: int, columns: int) -> None:
    """Their number, E tr W = k d, and E tr W^2 = k d (k + d + 1)."""
    whole = rows * columns
    assert wishart_mean(np.ones_like, rows, columns) == pytest.approx(min(rows, columns))
    assert wishart_mean(lambda v: v, rows, columns) == pytest.approx(whole)
    second = wishart_mean(np.square, rows, columns)
    assert second == pytest.approx(whole * (rows + columns + 1))
    if rows > columns + 1:
        inverse = wishart_mean(lambda v: 1 / v, rows, columns)
        assert inverse == pytest.approx(columns / (rows - columns - 1))


def test_one_eigenvalue_is_chi_squared() -> None:
    law = stats.chi2(6)
    found = wishart_mean(lambda v: 1 / (1 + v), 1, 6)
    assert found == pytest.approx(law.expect(lambda v: 1 / (1 + v)), rel=1e-9)


@pytest.mark.parametrize(
    ("d", "q", "k"), [(8, 0.25, 1), (8, 0.25, 8), (4, 0.125, 2), (4, 0.125, 4), (3, 0.01, 3)]
)
def test_ridge_is_its_posterior_variance(d: int, q: float, k: int) -> None:
    x = np.random.default_rng(k).standard_normal((40_000, k, d))
    precision = np.eye(d) + np.swapaxes(x, 1, 2) @ x / q
    variance = (1 / np.linalg.eigvalsh(precision)).mean(axis=1)
    error = variance.std() / 200
    assert curves.ridge(k, d, q) == pytest.approx(variance.mean(), abs=4 * error)


def test_curves_at_their_ends() -> None:
    for after in (curves.average, curves.least_squares, curves.ridge):
        assert after(0, 5, 0.3) == 1
    # Enough examples determine w without noise; with it, error falls as q / k.
    assert [curves.ridge(k, 4, 0.0) for k in (0, 1, 4, 9)] == [1, 0.75, 0, 0]
    assert [curves.least_squares(k, 4, 0.0) for k in (0, 1, 4, 9)] == [1, 0.75, 0, 0]
    assert curves.ridge(400, 2, 0.5) == pytest.approx(0.5 / 397, rel=0.01)
    assert curves.least_squares(12, 2, 0.5) == pytest.approx((0.5 / 9) / (1 + 0.5 / 9))
    assert all(curves.ridge(k, 8, 0.25) < curves.average(k, 8, 0.25) for k in range(1, 30))


@pytest.mark.parametrize("k", [1, 3, 9])
def test_the_average_is_the_best_multiple(k: int) -> None:
    rng, d, noise = np.random.default_rng(k), 3, 0.4
    x, w = rng.standard_normal((200_000, k, d)), rng.standard_normal((200_000, d))
    y = (x * w[:, None]).sum(-1) + noise**0.5 * rng.standard_normal((200_000, k))
    total = (x * y[..., None]).sum(axis=1)
    best = (total * w).sum() / (total**2).sum()
    assert best == pytest.approx(1 / (k + curves.added(d, noise)), rel=0.02)
    missed = ((best * total - w) ** 2).sum(axis=1).mean() / d
    assert curves.average(k, d, noise) == pytest.approx(missed, rel=0.02)


@pytest.mark.parametrize("k", [2, 20])
def test_least_squares_below_and_above_the_dimension(k: int) -> None:
    rng, d, noise = np.random.default_rng(k), 8, 0.5
    x, w = rng.standard_normal((20_000, k, d)), rng.standard_normal((20_000, d))
    y = (x * w[:, None]).sum(-1) + noise**0.5 * rng.standard_normal((20_000, k))
    fitted = (np.linalg.pinv(x) @ y[..., None])[..., 0]
    best = (fitted * w).sum() / (fitted**2).sum()
    assert curves.least_squares_factor(k, d, noise) == pytest.approx(best, rel=0.02)
    missed = ((best * fitted - w) ** 2).sum(axis=1).mean() / d
    assert curves.least_squares(k, d, noise) == pytest.approx(missed, rel=0.03)


def test_meeting_in_a_leaf() -> None:
    """Among d = 2 coordinates, two questions are the same one half of the time."""
    assert leaves.distinct(2, 2) == pytest.approx([0, 0.5, 0.5])
    assert leaves.meeting(2, 2) == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)
    rng, d, depth = np.random.default_rng(0), 5, 4
    asked = rng.integers(d, size=(100_000, depth))
    different = np.array([len(set(row)) for row in asked])
    assert leaves.distinct(d, depth) == pytest.approx(
        [(different == count).mean() for count in range(depth + 1)], abs=0.01
    )
    # Without noise only leaves that nobody has seen are missed.
    unseen = np.mean((1 - 0.5**different) ** 7)
    assert leaves.known_splits(7, d, depth, 0.0) == pytest.approx(unseen, abs=0.01)


@pytest.mark.parametrize(
    "reference",
    [
        "in-context-regression d=3 examples=7 noise=0.3",
        "in-context-regression d=2 examples=9 noise=0.5",
        "in-context-sparse-regression d=4 nonzero=2 examples=6 noise=0.2",
        "in-context-trees d=3 depth=3 examples=8 noise=0.2",
        "in-context-trees d=4 depth=2 examples=6",
    ],
)
def test_exact_scores_on_many_samples(reference: str) -> None:
    task = installed().task(reference)
    world = task.world(sb.Stream.from_seed(0, sb.Purpose.WORLD))
    batch = task.sample(world, sb.Stream.from_seed(0, sb.Purpose.TRAIN), 6_000)
    exact = task.exact_scores()
    for name, output in task.references(world, batch).items():
        if name not in exact:
            continue
        missed = (output[:, ::2] - batch.latents["values"]).square().mean(dim=1)
        error = float(missed.std()) / 6_000**0.5 / task.mean_square
        found = float(task.score(output, batch)["squared-error"])
        assert found == pytest.approx(exact[name], abs=4.5 * error), name


def test_curves_are_what_is_averaged() -> None:
    task = installed().task("in-context-regression d=4 examples=16")
    exact = task.exact_scores()
    assert exact["optimal"] == pytest.approx(fmean(curves.ridge(k, 4, 0.125) for k in range(16)))
    values = torch.zeros(2, 32)
    batch = sb.Batch(
        torch.zeros(2, 32, 5), torch.zeros(2, 32), {"values": torch.full((2, 16), 2.0)}
    )
    scored = task.score(values, batch)
    assert scored["squared-error"] == 1 and scored["by-examples"].tolist() == [1.0] * 16
