"""Sparse parity at CPU scale: every seed solves, in about the published number of steps.

pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb

# (n, k), extra recipe, 10%, 50% and 90% quantiles of the steps to 0.98 accuracy in the prototype
# (width 100, batch 32, hinge, SGD 0.1, uniform initialization, 32 seeds).
SETTINGS = [
    ("n=20 k=3", "", 600, 800, 900),
    ("n=30 k=3", "", 1000, 1250, 1590),
    ("n=40 k=3", "", 1400, 1700, 2480),
    ("n=30 k=4", "", 1400, 1600, 1900),
    ("n=40 k=3", "optimizer=adam lr=0.01", 400, 500, 600),
]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "recipe", "early", "median", "late"), SETTINGS)
def test_every_seed_solves_in_the_published_time(
    task: str, recipe: str, early: int, median: int, late: int, out: Path
) -> None:
    result = sb.evaluate(
        f"sparse-parity {task}",
        f"mlp width=100 {recipe}",
        protocol=sb.Protocol(budget=20_000 * 32, seeds=32),
        out=out,
    )
    assert result.record.summary.solved == 32
    steps = np.array([r.samples_to_target for r in result.record.replicas]) / 32
    found = np.quantile(steps, [0.1, 0.5, 0.9])
    print(f"{task} {recipe}: {found.round()} (prototype {early}, {median}, {late})")
    assert found[1] == pytest.approx(median, rel=0.25)
    assert found[0] == pytest.approx(early, rel=0.4) and found[2] == pytest.approx(late, rel=0.4)
