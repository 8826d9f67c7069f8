"""Probes over the score: what moves while the score is still flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import NothingToDrawError, UnknownNameError, did_you_mean
from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.trajectories import carry_forward
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import SAMPLES, colour, line_style
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
USUAL = (-0.1, 1.15)
"""The axis where every line goes from 0 to 1."""
FURTHEST = (-1.0, 2.5)
"""How far it follows a line that does not; the share of a change that is nearly none is any."""


class _Band(NamedTuple):
    name: str
    label: str


def draw_probes(cells: Sequence[MeasuredCell], canvas: Canvas, encoding: Encoding) -> Picture:
    """One panel per cell; each probe as a share of its own change, with the score's progress.

    Of the probes that are asked for, in that order, or of all. Raises UnknownNameError for one
    that no cell has.
    """
    probed = [cell for cell in cells if cell.trajectories.probes]
    if not probed:
        raise NothingToDrawError(
            "no probe was measured; name some with `synthbench eval ... --probe weight-movement`"
        )
    measured = list(dict.fromkeys(name for cell in probed for name in cell.trajectories.probes))
    chosen = measured if encoding.probes is None else chosen_probes(encoding.probes, measured)
    drawn = [cell for cell in probed if set(chosen) & set(cell.trajectories.probes)]
    picture = canvas.picture(len(drawn))
    for axes, cell, title in zip(picture.panels, drawn, Fields(drawn).titles(), strict=True):
        own = [name for name in chosen if name in cell.trajectories.probes]
        _draw_cell(picture, axes, cell, own, title)
    return picture


def chosen_probes(asked: Sequence[str], measured: Sequence[str]) -> list[str]:
    """Which of the numbers `<probe>/<name>` are asked for, each once.

    asked: such numbers, or names of probes, which stand for all of theirs. Raises UnknownNameError
    for what is neither.
    """
    found: dict[str, None] = {}
    for name in asked:
        own = [each for each in measured if each == name or each.startswith(f"{name}/")]
        if not own:
            guess = did_you_mean(name, [*(each.partition("/")[0] for each in measured), *measured])
            raise UnknownNameError(f'no probe "{name}"{guess} (measured: {", ".join(measured)})')
        found.update(dict.fromkeys(own))
    return list(found)


def _draw_cell(
    picture: Picture, axes: Axes, cell: MeasuredCell, probes: Sequence[str], title: str
) -> None:
    trajectories = cell.trajectories
    samples = [s.astype(float) for s in trajectories.by_replica("samples")]
    progress = _Band("progress of the score", "progress of the score")
    bands = [(progress, trajectories.by_replica("progress"))]
    for name in probes:
        shares = [_share_of_change(values) for values in trajectories.by_replica(name)]
        estimate = cell.metrics.probes[name].lead
        lead, interval = format_estimate(estimate)
        known = estimate.value is not None
        label = f"{name}: leads by {lead} {interval} decades" if known else name
        bands.append((_Band(name, label), shares))
    medians: list[Array] = []
    for index, (band, values) in enumerate(bands):
        drawn = _draw_band(axes, samples, values, index, band.label)
        medians.append(drawn["share"])
        labels = {"task": cell.record.task, "model": cell.record.model, "line": band.name}
        picture.note(labels, drawn)
    if any(len(spent) > 1 for spent in samples):
        tick_counts(picture, axes, "x")
    axes.set_ylim(*axis_ends(medians))
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel("share of the whole change")
    picture.finish(axes, title)


def axis_ends(lines: Sequence[Array]) -> tuple[float, float]:
    """Where an axis of shares begins and ends, so that lines which overshoot stay on it.

    >>> axis_ends([np.array([0.0, 1.0])]), axis_ends([np.array([-0.5, 9.0, 1.0])])
    ((-0.1, 1.15), (-0.55, 2.5))
    """
    shares = np.concatenate([*lines, np.array([0.0, 1.0])])
    low, high = float(np.nanmin(shares)) - 0.05, float(np.nanmax(shares)) + 0.05
    return max(min(low, USUAL[0]), FURTHEST[0]), min(max(high, USUAL[1]), FURTHEST[1])


def _share_of_change(values: Array) -> Array:
    """From 0 at the first finite value to 1 at the last; all 0 if the two are equal."""
    finite = values[np.isfinite(values)]
    if not len(finite) or finite[-1] == finite[0]:
        return np.where(np.isfinite(values), 0.0, np.nan)
    return np.asarray((values - finite[0]) / (finite[-1] - finite[0]))


def _draw_band(
    axes: Axes,
    samples: Sequence[Array],
    values: Sequence[Array],
    index: int,
    label: str,
) -> Mapping[str, Array]:
    """Draw median and 10%..90% of replicas; what was drawn."""
    grid, carried = carry_forward(samples, values)
    # A probe may be undefined for every replica at some point, and all may diverge at once.
    carried = np.where(np.isfinite(carried), carried, np.nan)
    known = np.isfinite(carried).any(axis=0) & (grid > 0)
    grid, carried = grid[known], carried[:, known]
    if not len(grid):
        axes.plot([], [], color=colour(index), linestyle=line_style(index), label=label)
        return {"samples": grid, "share": grid, "low": grid, "high": grid}
    low, median, high = np.nanquantile(carried, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(grid, low, high, color=colour(index), alpha=0.15, linewidth=0)
    axes.plot(grid, median, color=colour(index), linestyle=line_style(index), label=label)
    return {"samples": grid, "share": median, "low": low, "high": high}
