"""Steps of single subtasks add up to a power law of their mean.

Michaud et al. 2023, section 3. pytest -m slow tests/paper
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import synthbench as sb

pytestmark = pytest.mark.slow
TASKS, A = 100, 0.4
SHARES = np.arange(1, TASKS + 1) ** -(1 + A)
SHARES /= SHARES.sum()
WINDOW = (0.05, 0.3)
"""Mean errors between which the exponent is fitted: 2 to 34 of the 100 subtasks are solved."""


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, np.ndarray]:
    """Samples (E,), and accuracies of every replica and subtask (E, R, TASKS)."""
    result = sb.evaluate(
        f"multitask-parity tasks={TASKS} n=20 k=2 exponent={A}",
        "mlp width=128 optimizer=adam lr=0.003 batch_size=128",
        protocol=sb.Protocol(seeds=8, budget=1_500_000, until="budget"),
        out=tmp_path_factory.mktemp("multitask"),
    )
    rows = sorted(result.trajectories, key=lambda row: (row["samples"], row["replica"]))
    samples = np.unique([row["samples"] for row in rows])
    by_subtask = np.array([row["by-subtask"] for row in rows])
    return samples, by_subtask.reshape(len(samples), -1, TASKS)


def since(samples: np.ndarray, accuracies: np.ndarray, level: float) -> np.ndarray:
    """Samples from which on a curve (E, ...) stays at a level; NaN where it ends below."""
    stays = np.flip(np.flip(accuracies >= level, 0).cumprod(0), 0).astype(bool)
    return np.where(stays[-1], samples[stays.argmax(0)], np.nan)


def slope(samples: np.ndarray, error: np.ndarray) -> float:
    inside = (error > WINDOW[0]) & (error < WINDOW[1])
    return float(np.polyfit(np.log(samples[inside]), np.log(error[inside]), 1)[0])


def test_the_mean_error_is_a_power_of_the_samples(curves: tuple[np.ndarray, np.ndarray]) -> None:
    """Its exponent is what steps at times i^(1 + a) give; -a / (1 + a) for endless subtasks.

    With 100 subtasks the law predicts -0.449 in the window, with endless ones -0.29. Found: -0.441
    with a half-width of 0.018.
    """
    samples, accuracies = curves
    errors = 1 - accuracies @ SHARES
    times = np.arange(1, TASKS + 1) ** (1 + A)
    grid = np.geomspace(1, times[-1], 4000)
    law = slope(grid, np.array([SHARES[times > t].sum() / 2 for t in grid]))
    assert law == pytest.approx(-0.449, abs=0.002)
    found = np.array([slope(samples, error) for error in errors.T])
    half = stats.t.ppf(0.975, len(found) - 1) * stats.sem(found)
    print(f"exponent {found.mean():.3f} +- {half:.3f}, of the law {law:.3f}")
    assert abs(found.mean() - law) < max(half, 0.04)
    mean = errors.mean(1)
    inside = (mean > WINDOW[0]) & (mean < WINDOW[1])
    fit = stats.linregress(np.log(samples[inside]), np.log(mean[inside]))
    assert fit.rvalue**2 > 0.98


def test_a_subtask_is_solved_after_as_many_of_its_own_samples(
    curves: tuple[np.ndarray, np.ndarray],
) -> None:
    """Times grow as i^(1 + a), so p_i times the time is alike; the first, alone, is quicker."""
    samples, accuracies = curves
    times = since(samples, accuracies, 0.75)
    medians = np.nanmedian(times[:, 1:16], axis=0)
    assert not np.isnan(times[:, 1:16]).any()
    exponent = float(np.polyfit(np.log(np.arange(2, 17)), np.log(medians), 1)[0])
    print(f"times grow with exponent {exponent:.2f}")
    # Found 1.40 with 8 seeds and 1.45 with 4, whose standard error over subtasks is 0.1.
    assert exponent == pytest.approx(1 + A, abs=0.25)


def test_every_subtask_is_a_step(curves: tuple[np.ndarray, np.ndarray]) -> None:
    """From 0.65 to 0.95 in a third of a decade, while the mean takes two for the same share."""
    samples, accuracies = curves
    low, high = (since(samples, accuracies[:, :, :16], level) for level in (0.65, 0.95))
    widths = np.log10(high / low)
    mean = (accuracies @ SHARES).mean(1, keepdims=True)
    of_mean = np.log10(since(samples, mean, 0.95) / since(samples, mean, 0.65))
    print(f"median width {np.nanmedian(widths):.2f} decades, of the mean {float(of_mean[0]):.2f}")
    assert np.nanmedian(widths) < 0.5 and float(of_mean[0]) > 1.5
