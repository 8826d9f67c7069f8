"""The device-independent logarithm and normal quantile against the standard libraries."""

import math

import numpy as np
import torch
from scipy.special import ndtri

from synthbench.streams.exact import exp, log, normal_quantile, ordered_sum, sqrt

DRAWN = (torch.arange(1, 200_001, dtype=torch.float64) - 0.5) / 200_000
SMALL = 10.0 ** -torch.linspace(0.3, 15.9, 2_000, dtype=torch.float64)
POINTS = torch.cat([DRAWN, SMALL, 1 - SMALL])
POINTS = POINTS[(POINTS > 0) & (POINTS < 1)]


def test_log_is_within_two_units_in_the_last_place() -> None:
    expected = np.log(POINTS.numpy())
    assert np.all(np.abs(log(POINTS).numpy() - expected) <= 2 * np.spacing(np.abs(expected)))


def test_log_of_powers_of_two_and_of_large_numbers() -> None:
    x = torch.tensor([0.25, 0.5, 1.0, 2.0, 1e300], dtype=torch.float64)
    np.testing.assert_allclose(log(x).numpy(), np.log(x.numpy()), rtol=1e-15, atol=0)


def test_normal_quantile_agrees_with_scipy() -> None:
    away = POINTS[(POINTS - 0.5).abs() > 1e-9]
    np.testing.assert_allclose(normal_quantile(away).numpy(), ndtri(away.numpy()), rtol=2e-14)


def test_normal_quantile_is_odd_and_zero_at_one_half() -> None:
    p = torch.tensor([0.5, 2.0**-53, 0.25], dtype=torch.float64)
    quantile = normal_quantile(p)
    assert quantile[0] == 0
    assert torch.equal(normal_quantile(1 - p)[2:], -quantile[2:])
    np.testing.assert_allclose(quantile[1].item(), ndtri(2.0**-53), rtol=1e-14)


def test_exp_is_within_two_units_in_the_last_place() -> None:
    x = torch.linspace(-699, 699, 200_001, dtype=torch.float64)
    expected = np.exp(x.numpy())
    assert np.all(np.abs(exp(x).numpy() - expected) <= 2 * np.spacing(expected))
    assert exp(torch.zeros(1, dtype=torch.float64)).item() == 1


def test_ordered_sum_goes_from_left_to_right() -> None:
    x = torch.tensor([[1.0, 1e16, -1e16, 1.0]], dtype=torch.float64)
    assert ordered_sum(x).tolist() == [((1.0 + 1e16) - 1e16) + 1.0]


def test_square_roots_are_correctly_rounded() -> None:
    """MKL's differ from these in the last bit of 1 in 100, others on another processor."""
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(100_000, dtype=torch.float64, generator=rng)
    for scaled in (x + 1e-300, 30 * x + 1e-9, 1e12 * x + 1):
        assert sqrt(scaled).tolist() == [math.sqrt(value) for value in scaled.tolist()]
