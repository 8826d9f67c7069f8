"""Every replica as a row, sorted by its midpoint: where the transitions are, and how alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.transition import find_transition
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.axis_names import progress_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.grid import log_edges
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import SAMPLES
from synthbench.results.figures.ticks import tick_counts, tick_whole_numbers
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh


def draw_raster(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel per cell; brightness is progress, so it reads in greyscale."""
    picture = canvas.picture(len(cells))
    names = Fields(cells).titles()
    for axes, cell, title in zip(picture.panels, cells, names, strict=True):
        mesh = _draw_cell(picture, axes, cell, title)
    picture.bar(mesh, picture.panels, progress_name([cell.record.ceiling for cell in cells]))
    return picture


def _draw_cell(picture: Picture, axes: Axes, cell: MeasuredCell, title: str) -> QuadMesh:
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
        vmin=0, vmax=1, rasterized=True,
    )  # fmt: skip
    reached = np.isfinite(midpoints[order])
    axes.plot(
        midpoints[order][reached], np.flatnonzero(reached) + 0.5, color="white", marker="o",
        markersize=3, linestyle="none", markeredgecolor="black", markeredgewidth=0.6,
    )  # fmt: skip
    tick_counts(picture, axes, "x")
    axes.set_facecolor("0.92")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel("replica, by midpoint (dots)")
    tick_whole_numbers(axes.yaxis)
    median, interval = format_time_to_target(cell.metrics.transitions.midpoint, cell.watched)
    picture.finish(axes, f"{title}: midpoint {median} {interval}".rstrip(), legend=False)
    labels = {"task": cell.record.task, "model": cell.record.model}
    for row, replica in enumerate(order):
        columns = {"row": row, "samples": grid[1:], "progress": rows[row, 1:]}
        midpoint = midpoints[replica] if reached[row] else np.nan
        picture.note({**labels, "replica": str(replica)}, {**columns, "midpoint": midpoint})
    return mesh
