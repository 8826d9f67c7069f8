"""Probes over the score: what moves while the score is still flat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import NothingToDrawError
from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.trajectories import carry_forward
from synthbench.results.figures.style import SAMPLES, colour, finish, line_style, make_panels
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_probes(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per cell; each probe as a share of its own change, with the score's progress."""
    probed = [cell for cell in cells if cell.trajectories.probes]
    if not probed:
        raise NothingToDrawError(
            "no probe was measured; name some with `synthbench eval ... --probe weight-movement`"
        )
    figure, panels = make_panels(len(probed))
    for panel, cell in zip(panels, probed, strict=True):
        _draw_cell(panel, cell)
    return figure


def _draw_cell(axes: Axes, cell: MeasuredCell) -> None:
    trajectories = cell.trajectories
    samples = [s.astype(float) for s in trajectories.by_replica("samples")]
    _draw_band(axes, samples, trajectories.by_replica("progress"), 0, "progress of the score")
    for index, name in enumerate(trajectories.probes, start=1):
        shares = [_share_of_change(values) for values in trajectories.by_replica(name)]
        estimate = cell.metrics.probes[name].lead
        lead, interval = format_estimate(estimate)
        known = estimate.value is not None
        label = f"{name}: leads by {lead} {interval} decades" if known else name
        _draw_band(axes, samples, shares, index, label)
    if any(len(spent) > 1 for spent in samples):
        axes.set_xscale("log")
    axes.set_ylim(-0.1, 1.15)
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel("share of the whole change")
    finish(axes, f"{cell.record.task}\n{cell.record.model}")


def _share_of_change(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 at the first finite value to 1 at the last; all 0 if the two are equal."""
    finite = values[np.isfinite(values)]
    if not len(finite) or finite[-1] == finite[0]:
        return np.where(np.isfinite(values), 0.0, np.nan)
    return np.asarray((values - finite[0]) / (finite[-1] - finite[0]))


def _draw_band(
    axes: Axes,
    samples: Sequence[NDArray[np.float64]],
    values: Sequence[NDArray[np.float64]],
    index: int,
    label: str,
) -> None:
    grid, carried = carry_forward(samples, values)
    # A probe may be undefined for every replica at some point, and all may diverge at once.
    carried = np.where(np.isfinite(carried), carried, np.nan)
    known = np.isfinite(carried).any(axis=0) & (grid > 0)
    grid, carried = grid[known], carried[:, known]
    if not len(grid):
        axes.plot([], [], color=colour(index), linestyle=line_style(index), label=label)
        return
    low, median, high = np.nanquantile(carried, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(grid, low, high, color=colour(index), alpha=0.15, linewidth=0)
    axes.plot(
        grid, median, color=colour(index), linestyle=line_style(index), linewidth=2.0,
        label=label,
    )  # fmt: skip
