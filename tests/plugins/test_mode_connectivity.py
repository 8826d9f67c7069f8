"""Barriers between pairs of networks: laws, and the pairs that they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.testing import check_measurement
from synthbench_dynamics.mode_connectivity import ModeConnectivity

SMALL = ModeConnectivity(n=8, k=2, width=8, budget=640, points=5)


def test_laws() -> None:
    facts = check_measurement(SMALL).facts
    assert facts["measures"].startswith("barrier, error_barrier, aligned_barrier")


def test_a_pair_differs_in_initialization_and_in_data_and_not_in_its_truth(tmp_path: Path) -> None:
    """The same networks trained without the measurement, and their barrier."""
    (row,) = SMALL.measure([1])
    protocol = sb.Protocol(seeds=8, initializations=4, budget=640, until="budget")
    settings = sb.Settings(keep_weights=True, workers=0, compile="never", pictures=False)
    cell = sb.evaluate(
        "sparse-parity n=8 k=2", "mlp width=8", protocol=protocol, settings=settings, out=tmp_path
    )
    first, second = (cell.record.replicas[place].seeds for place in (4, 7))
    assert first["world"] == second["world"]
    assert first["init"] == 2 and second["init"] == 3
    assert first["train"] != second["train"]
    assert sb.barrier(cell, cell, (4, 7), points=5).height == pytest.approx(
        row["barrier"], abs=1e-5
    )
