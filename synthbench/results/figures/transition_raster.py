"""Every replica as a row, sorted by its midpoint: where the transitions are, and how alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.ceiling import ceiling_words
from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.transition import find_transition
from synthbench.results.figures.grid import log_edges
from synthbench.results.figures.style import SAMPLES, finish, make_panels, tick_whole_numbers
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure


def draw_transition_raster(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per cell; brightness is progress, so it reads in greyscale."""
    figure, panels = make_panels(len(cells))
    for panel, cell in zip(panels, cells, strict=True):
        mesh = _draw_cell(panel, cell)
    bar = figure.colorbar(mesh, ax=panels, pad=0.01, aspect=30)
    ceilings = dict.fromkeys(ceiling_words(cell.record.ceiling) for cell in cells)
    bar.set_label(f"progress (0 trivial, 1 {' or '.join(ceilings)})")
    return figure


def _draw_cell(axes: Axes, cell: MeasuredCell) -> QuadMesh:
    trajectories, hold = cell.trajectories, cell.record.target.hold
    samples = [s.astype(float) for s in trajectories.by_replica("samples")]
    progress = trajectories.by_replica("progress")
    midpoints = np.array(
        [
            find_transition(s, p, hold).midpoint or np.inf
            for s, p in zip(samples, progress, strict=True)
        ]
    )
    order = np.argsort(midpoints, kind="stable")
    grid = max(samples, key=len)
    rows = np.full((len(order), len(grid)), np.nan)
    for row, replica in enumerate(order):
        rows[row, : len(progress[replica])] = progress[replica]
    mesh = axes.pcolormesh(
        log_edges(grid[1:]), np.arange(len(order) + 1), np.ma.masked_invalid(rows[:, 1:]),
        vmin=0, vmax=1, cmap="cividis", rasterized=True,
    )  # fmt: skip
    reached = np.isfinite(midpoints[order])
    axes.plot(
        midpoints[order][reached], np.flatnonzero(reached) + 0.5, color="white", marker="o",
        markersize=3.5, linestyle="none", markeredgecolor="black", markeredgewidth=0.6,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_facecolor("0.92")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel("replica, by midpoint (dots)")
    tick_whole_numbers(axes.yaxis)
    median, interval = format_time_to_target(cell.metrics.transitions.midpoint, cell.watched)
    title = f"{cell.record.task}\n{cell.record.model}: midpoint {median} {interval}"
    finish(axes, title.rstrip(), legend=False)
    return mesh
