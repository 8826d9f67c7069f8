"""Regression in context: by way of the average towards ridge regression.

pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb

SEEDS = 8


@pytest.mark.slow
def test_networks_pass_the_average_on_their_way_to_ridge(out: Path) -> None:
    """Garg et al. 2022 and von Oswald et al. 2023, at d = 2.

    On seeds that did not tune the baseline, which were 0 to 3 and 200 to 207.
    """
    result = sb.evaluate(
        "in-context-regression small target=0.8",
        protocol=sb.Protocol(seeds=SEEDS, first_seed=100, budget=64_000, evaluation_samples=256),
        probes=["predictors"],
        out=out,
    )
    early, late = 0, 0
    for replica in range(SEEDS):
        rows = [row for row in result.trajectories if row["replica"] == replica]
        # Half way: four fifths of what the average explains.
        half = next((row for row in rows if row["progress"] > 0.5), rows[-1])
        early += half["predictors/average"] < half["predictors/optimal"]
        late += rows[-1]["predictors/optimal"] < rows[-1]["predictors/average"]
        print(replica, half["samples"], rows[-1]["samples"], rows[-1]["progress"])
    print(f"nearer to the average half way: {early} of {SEEDS}; to ridge at the end: {late}")
    # Replicas are independent. If either were a coin's toss, 7 of 8 would have a chance of 9/256.
    assert early >= SEEDS - 1
    assert late >= SEEDS - 1
