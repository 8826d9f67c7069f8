"""The axis of shares follows lines that overshoot, as far as they can be read."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.results.figures.probes import axis_ends


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ([[0, 0.5, 1]], (-0.1, 1.15)),
        ([[]], (-0.1, 1.15)),
        ([[np.nan, 1.0]], (-0.1, 1.15)),
        ([[0, 1], [-0.4, 1.6, 1]], (-0.45, 1.65)),
        ([[-0.08, 1.12]], (-0.13, 1.17)),
        ([[0, -80, 1], [0, 300, 1]], (-1.0, 2.5)),
    ],
)
def test_lines_that_overshoot_stay_on_the_axis(lines, ends) -> None:
    assert axis_ends([np.array(line, float) for line in lines]) == pytest.approx(ends)
