"""Regression in context: through the average to ridge; pools are recognized, not regressed on.

pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb
from synthbench.registry.registry import installed


def rows_of(result: sb.CellResult, replica: int) -> list[dict[str, float]]:
    return [row for row in result.trajectories if row["replica"] == replica]


@pytest.mark.slow
def test_networks_pass_the_average_on_their_way_to_ridge(out: Path) -> None:
    """Garg et al. 2022 and von Oswald et al. 2023, at d = 2, eight seeds."""
    result = sb.evaluate("in-context-regression small", seeds=8, probes=["predictors"], out=out)
    exact = installed().task("in-context-regression small").exact_scores()
    closer_to_average, closer_to_ridge, excess = 0, 0, []
    for replica in range(8):
        rows = rows_of(result, replica)
        # A third of the way, where one step of gradient descent is the nearer strategy.
        early = next((row for row in rows if row["progress"] > 0.3), rows[-1])
        closer_to_average += early["predictors/average"] < early["predictors/optimal"]
        late = rows[-1]
        closer_to_ridge += late["predictors/optimal"] < late["predictors/average"]
        excess.append((1 - late["progress"]))
    print(f"average {closer_to_average}, ridge {closer_to_ridge}, excess {np.round(excess, 2)}")
    print(f"levels {exact}; samples {[r.samples_to_target for r in result.record.replicas]}")
    # Replicas are independent; chance would be 4 of 8.
    assert closer_to_average >= 7
    assert closer_to_ridge >= 6
    # They stop at 0.75 of the way, beyond the average's 0.63; single ones are left behind.
    assert result.record.summary.solved >= 6


@pytest.mark.slow
def test_a_small_pool_is_recognized_and_fails_elsewhere(out: Path) -> None:
    """Raventos et al. 2023: with few functions to tell apart, fresh ones are not regressed on."""
    result = sb.evaluate(
        "in-context-regression d=2 examples=6 pool=2",
        "transformer heads=2 width=32 mlp=2 optimizer=adam lr=0.003 weight_decay=0 batch_size=32",
        seeds=8,
        budget=48_000,
        out=out,
    )
    last = [rows_of(result, replica)[-1] for replica in range(8)]
    inside, outside = (
        np.array([row[name] for row in last]) for name in ("progress", "progress@fresh")
    )
    print(f"pool {inside.round(2)}, fresh {outside.round(2)}")
    # Ridge has 1 on fresh functions; a memory of two of them is worse than no answer there.
    assert np.median(inside) > 0.7
    assert np.median(outside) < 0.3
    assert (inside > outside).sum() >= 7
