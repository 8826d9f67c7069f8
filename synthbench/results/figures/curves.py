"""What is a list of numbers at every evaluation: how the whole curve changes in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import NothingToDrawError
from synthbench.metrics.formatting import format_count
from synthbench.records.schema import Record
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.axis_names import axis_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.grid import log_edges
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import GREY, SAMPLES
from synthbench.results.figures.ticks import tick_counts, tick_whole_numbers
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

MOMENTS = 6
"""Evaluations at which the curve itself is drawn."""
PLACE = "place in the curve"
DASHES: tuple[Any, ...] = (
    "--", "-.", ":", "-", (0, (8, 2)), (0, (6, 2, 1, 2, 1, 2)), (0, (1, 4)), (0, (3, 4)),
)  # fmt: skip
"""Line styles of references, which are grey, all of them, and often as many as these."""


def draw_curves(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One row per cell and curve, of medians over replicas.

    Left the curve at some evaluations, from light to dark, and those of the references in grey;
    right all of it, over samples.
    """
    titles = Fields(cells).titles()
    rows = [
        (cell, name, f"{title}: {name}")
        for cell, title in zip(cells, titles, strict=True)
        for name in cell.trajectories.curves
    ]
    if not rows:
        raise NothingToDrawError(
            "no score and no probe of these cells is a curve (of scores over samples: "
            "learning-curves)"
        )
    picture = canvas.picture(2 * len(rows), most=2)
    pairs = zip(picture.panels[::2], picture.panels[1::2], strict=True)
    for (cell, name, title), (left, right) in zip(rows, pairs, strict=True):
        grid, (median,) = cell.trajectories.quantiles(name, [0.5])
        labels = {"task": cell.record.task, "model": cell.record.model, "curve": name}
        references = mean_curves(cell.record, name)
        _draw_moments(left, grid, median)
        _draw_references(left, references)
        left.set_xlabel(PLACE)
        tick_whole_numbers(left.xaxis)
        left.set_ylabel(axis_name(name, "median"), parse_math=False)
        picture.finish(left, title)
        _draw_map(picture, right, grid, median)
        picture.bar(right.collections[0], [right], axis_name(name, "median"))
        picture.finish(right, title, legend=False)
        _note(picture, labels, grid, median, references)
    return picture


def _note(
    picture: Picture,
    labels: Mapping[str, str],
    grid: Array,
    median: Array,
    references: Mapping[str, Array],
) -> None:
    places = np.arange(median.shape[1])
    for samples, curve in zip(grid[1:], median[1:], strict=True):
        picture.note(
            {**labels, "line": "median"}, {"samples": samples, "place": places, "value": curve}
        )
    for name, curve in references.items():
        picture.note({**labels, "line": name}, {"place": places, "value": curve})


def mean_curves(record: Record, name: str) -> dict[str, Array]:
    """The curve (T,) of each reference, a mean over the replicas; none of a probe's."""
    found: dict[str, list[Array]] = {}
    for replica in record.replicas:
        for reference, scores in replica.references.items():
            if isinstance(curve := scores.get(name), list):
                found.setdefault(reference, []).append(np.array(curve, float))
    return {reference: _mean(np.stack(curves)) for reference, curves in found.items()}


def _mean(curves: Array) -> Array:
    """Mean (T,) of curves (R, T), NaN at places where none of them is defined."""
    known = np.isfinite(curves)
    total = np.where(known, curves, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / known.sum(axis=0))


def _draw_moments(axes: Axes, grid: Array, median: Array) -> None:
    import matplotlib

    chosen = np.unique(np.linspace(min(1, len(grid) - 1), len(grid) - 1, MOMENTS).round())
    shades = matplotlib.colormaps["Blues"](np.linspace(0.35, 1.0, len(chosen)))
    for index, shade in zip(chosen.astype(int), shades, strict=True):
        label = f"after {format_count(grid[index])} samples"
        axes.plot(median[index], color=shade, marker="o", markersize=3, label=label)


def _draw_references(axes: Axes, curves: Mapping[str, Array]) -> None:
    for index, (name, curve) in enumerate(curves.items()):
        style = DASHES[index % len(DASHES)]
        axes.plot(curve, color=GREY, linestyle=style, linewidth=1.1, zorder=0, label=name)


def _draw_map(picture: Picture, axes: Axes, grid: Array, median: Array) -> None:
    places = np.arange(median.shape[1] + 1) - 0.5
    axes.pcolormesh(
        log_edges(grid[1:]), places, np.ma.masked_invalid(median[1:].T), rasterized=True
    )  # fmt: skip
    tick_counts(picture, axes, "x")
    axes.set_facecolor("0.92")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel(PLACE)
    tick_whole_numbers(axes.yaxis)
