"""A rerun with curves, several test sets and undefined places, held against its record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthbench.leaderboard.verification.agreement import _deviations, _references_agree
from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.trajectories import Trajectories
from tests.results.synthetic import make_cell


def test_every_place_of_a_curve_is_compared(tmp_path: Path) -> None:
    found = make_cell(tmp_path / "a").trajectories
    assert set(_deviations(found, found)) == {0.0}
    values = found.column("excess")
    values[5, 2] += 0.5 * np.nanmax(values)
    name = found.table.column_names.index("excess")
    changed = Trajectories(found.table.set_column(name, "excess", nullable_column(values)))
    deviations = _deviations(found, changed)
    assert deviations[0] > 0.05 and set(deviations[1:]) == {0.0}


@pytest.mark.parametrize(
    ("found", "agree"),
    [([0.1, None], True), ([0.1 + 1e-8, None], True), ([0.2, None], False), ([0.1, 0.3], False),
     ([0.1], False)],
)  # fmt: skip
def test_curves_of_references_agree_place_by_place(found: list[float | None], agree: bool) -> None:
    claimed = {"trivial": {"accuracy": 0.5, "excess": [0.1, None]}}
    again = {"trivial": {"accuracy": 0.5, "excess": found}}
    assert _references_agree(claimed, again) == agree
