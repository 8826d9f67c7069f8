"""The local learning coefficient where it is known: full rank, degenerate, and localized.

`pytest -m slow` adds a pull and a longer step that come alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench.testing import check_probe
from synthbench_dynamics.local_learning_coefficient import LocalLearningCoefficient
from tests.plugins.probing import measure, view_of


def view_at(
    weights: Tensor, loss: Callable[[Tensor, sb.Batch], Tensor], fresh: bool = False
) -> sb.View:
    """A view whose network outputs its weights, with standard normal x (B, 3).

    fresh: new examples every time, for a loss that reads them.
    """
    rng = Stream.from_seed(0, Purpose.PROBE)

    def sample(size: int) -> sb.Batch:
        x = rng.normal((size, 3))
        return sb.Batch(x, x.sum(dim=1) + 0.1 * rng.normal((size,)))

    one = sample(1)
    return sb.View(
        task=installed().task("sparse-parity n=3 k=1"),
        parameters={"w": weights},
        initial={"w": weights},
        forward=lambda parameters, x: parameters["w"],
        record=lambda parameters, x: sb.Activations(),
        loss=loss,
        world=weights,
        batch=one,
        sample=sample if fresh else lambda size: one,
        rng=rng,
    )


def check(found: dict[str, float], wanted: float, least: float = 0.0) -> None:
    """Within the error that the probe states (four of it), and that error is small."""
    assert found["error"] < 0.05 * wanted + 0.02
    assert found["llc"] == pytest.approx(wanted, abs=4 * found["error"] + least)


@pytest.mark.parametrize(
    ("gamma", "step_size"),
    [
        (0, 1e-3),
        (50, 2e-3),
        pytest.param(50, 1e-3, marks=pytest.mark.slow),
        pytest.param(0, 2e-3, marks=pytest.mark.slow),
    ],
)
def test_full_rank_is_half_the_dimension_as_far_as_stated(gamma: float, step_size: float) -> None:
    steep = torch.tensor([1.0, 2.0, 5.0])
    view = view_at(torch.tensor([0.3, -1.0, 2.0]), lambda w, batch: (steep * (w - at) ** 2).sum())
    at = view.parameters["w"]
    found = measure(
        f"local-learning-coefficient n_beta=100 gamma={gamma} step_size={step_size} chains=256 "
        "steps=160 burn_in=60",
        view,
    )
    pull = 200 * steep + gamma
    wanted = (200 * steep / (2 * pull * (1 - step_size * pull / 4))).sum()
    check(found, float(wanted))
    assert found["loss"] == 0 and abs(found["drift"]) < 0.1
    if not gamma and step_size == 1e-3:
        assert found["llc"] == pytest.approx(3 / 2, rel=0.25)


def test_linear_regression_on_fresh_batches_is_half_its_dimension() -> None:
    """Three weights, noise of variance 0.01, at the minimum of the population loss."""

    def loss(w: Tensor, batch: sb.Batch) -> Tensor:
        return (batch.x @ w - batch.y).square().mean()

    found = measure(
        "local-learning-coefficient n_beta=1000 gamma=1 step_size=1e-4 chains=64 steps=200 "
        "burn_in=50 batch_size=256",
        view_at(torch.ones(3), loss, fresh=True),
    )
    # Hessian 2 I; chains share batches, so their differences understate the error a little.
    check(found, 3 * 2000 / (2 * 2001 * (1 - 1e-4 * 2001 / 4)), least=0.05)
    assert found["llc"] == pytest.approx(3 / 2, rel=0.1)
    assert found["loss"] == pytest.approx(0.01, rel=0.05)


def test_a_flat_valley_does_not_count() -> None:
    """y = w_1 w_2 x with w_1 w_2 = 1: two weights, but one direction that matters: 1 / 2."""
    view = view_at(torch.ones(2), lambda w, batch: (w[0] * w[1] - 1) ** 2)
    found = measure(
        "local-learning-coefficient n_beta=1000 gamma=20 step_size=1e-4 chains=512 steps=300 "
        "burn_in=100",
        view,
    )
    weight = lambda v, u: np.exp(  # noqa: E731
        -1000 * (u * v - 1) ** 2 - 10 * ((u - 1) ** 2 + (v - 1) ** 2)
    )
    grid = np.linspace(-0.5, 2.5, 601)
    u, v = np.meshgrid(grid, grid)
    mass = weight(v, u)
    wanted = (1000 * (u * v - 1) ** 2 * mass).sum() / mass.sum()
    # Steps of 1e-4 across the valley, whose Hessian has the eigenvalue 4, add 1 in 9 to it.
    check(found, wanted / (1 - 1e-4 * 4000 / 4), least=0.01)
    assert wanted == pytest.approx(0.5, abs=0.02)


def test_fourth_order_is_a_quarter() -> None:
    """exp(-n_beta w^4): n_beta E w^4 = 1 / 4 whatever n_beta."""
    mass, moment = (
        quad(lambda w, power=power: w**power * np.exp(-100 * w**4), -2, 2)[0] for power in (0, 4)
    )
    assert 100 * moment / mass == pytest.approx(1 / 4)
    view = view_at(torch.zeros(1), lambda w, batch: (w**4).sum())
    found = measure(
        "local-learning-coefficient n_beta=100 gamma=0 step_size=1e-3 chains=512 steps=300 "
        "burn_in=120",
        view,
    )
    check(found, 1 / 4, least=0.01)


def test_a_crossing_is_localized_as_the_integral_says() -> None:
    """(w_1 w_2)^2: its coefficient is 1 / 2, reached as slowly as 1 / log n_beta."""
    density = lambda v, u: np.exp(-100 * (u * v) ** 2 - 5 * (u**2 + v**2))  # noqa: E731
    u, v = np.meshgrid(grid := np.linspace(-2.5, 2.5, 601), grid)
    mass = density(v, u)
    wanted = (100 * (u * v) ** 2 * mass).sum() / mass.sum()
    assert 0.1 < wanted < 0.5
    view = view_at(torch.zeros(2), lambda w, batch: (w[0] * w[1]) ** 2)
    found = measure(
        "local-learning-coefficient n_beta=100 gamma=10 step_size=3e-3 chains=1024 steps=200 "
        "burn_in=133",
        view,
    )
    check(found, wanted, least=0.02)


def test_away_from_a_minimum_the_loss_falls_and_chains_drift() -> None:
    view = view_at(torch.tensor([1.0]), lambda w, batch: (w**2).sum())
    found = measure("local-learning-coefficient gamma=0 steps=40 burn_in=0 n_beta=100", view)
    assert found["llc"] < 0 and found["drift"] < 0


def test_replicas_and_points_draw_the_same_noise() -> None:
    """The noise is of the probe's own stream: a second view gives the same numbers."""
    probe = "local-learning-coefficient steps=10 burn_in=2 chains=2"
    view = view_of("sparse-parity n=6 k=2", "mlp width=4")
    again = view_of("sparse-parity n=6 k=2", "mlp width=4")
    assert measure(probe, view) == measure(probe, again)
    moved = dataclasses.replace(view, rng=Stream.from_seed(9, Purpose.PROBE))
    assert measure(probe, moved) != measure(probe, again)


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(sb.SynthbenchError, match=r"steps must be at least burn_in \+ 2 = 42"):
        installed().probe("local-learning-coefficient steps=40")


def test_every_law() -> None:
    probe = LocalLearningCoefficient(steps=3, burn_in=1, chains=2)
    check_probe(probe, task="sparse-parity n=6 k=2", model="mlp width=4")
