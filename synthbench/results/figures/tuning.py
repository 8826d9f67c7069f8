"""Time to target of tuning trials against each field that was searched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synthbench.errors import NothingToDrawError
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_time_to_target
from synthbench.plan.grouping import groups
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.axis_names import LOWER, axis_name, field_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.measures import Measure, find_measure
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.points import DOWN, Point, Scale, draw_points, note_points
from synthbench.results.figures.series import Series
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import own_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 3
"""Trials of a model below which there is no search to be drawn."""
TRIAL, BEST = Series("trial", 0, 2), Series("best", 1, 2)


def draw_tuning(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel for each task, model and field that was searched; every mark is a trial.

    Median samples to target with its interval; an arrow marks a median beyond what the trial was
    given. The best has a mark of its own, and a band at its interval: trials that reach into it
    may be as good. No line is drawn through the trials, whose other fields differ too. Raises
    NothingToDrawError when no model has three trials that differ.
    """
    searches = [
        (trials, path)
        for places in groups([_searched(cell) for cell in cells])
        for trials in [Fields([cells[place] for place in places])]
        for path in _varied(trials)
    ]
    if not searches:
        raise NothingToDrawError(
            f"no model has {FEWEST} trials that differ; `synthbench tune` makes them"
        )
    most = max(len(_varied(trials)) for trials, _ in searches)
    picture = canvas.picture(len(searches), most=min(most, 3))
    measure = find_measure("samples_to_target", cells)
    for axes, (trials, path) in zip(picture.panels, searches, strict=True):
        _draw_panel(picture, axes, trials, path, measure)
    return picture


def _best(cells: Sequence[MeasuredCell]) -> int:
    """Place of the trial with the least median samples to target, the first of equal ones.

    Of trials whose median lies beyond what they were given, the one that solved the largest
    share; then the one with the most progress at its end.
    """
    return min(range(len(cells)), key=lambda place: _order(cells[place]))


def _order(cell: MeasuredCell) -> tuple[float, float, float]:
    """Median samples to target, share unsolved, progress missing at the end: less is better."""
    summary = cell.record.summary
    median = summary.samples_to_target.value
    last = np.array([progress[-1] for progress in cell.trajectories.by_replica("progress")])
    finite = last[np.isfinite(last)]
    return (
        math.inf if median is None else median,
        1 - summary.solved / summary.replicas,
        -float(np.median(finite)) if len(finite) else math.inf,
    )


def _searched(cell: MeasuredCell) -> tuple[str, str]:
    return cell.record.task, str(cell.record.model_plan["name"])


def _varied(trials: Fields) -> list[str]:
    """Fields of the model and its recipe that differ between enough trials."""
    if len(trials.cells) < FEWEST:
        return []
    return [path for path in trials.paths if path.split(".")[0] in ("model", "recipe")]


def _draw_panel(picture: Picture, axes: Axes, trials: Fields, path: str, measure: Measure) -> None:
    having = [place for place, cell in enumerate(trials.varying.cells) if path in cell]
    values = [trials.values(path)[place] for place in having]
    chosen = [trials.cells[place] for place in having]
    points = [Point.of(measure, cell) for cell in chosen]
    scale = Scale.of(values)
    places = list(map(scale.place, values))
    best = _best(trials.cells)
    others = [p for p, place in enumerate(having) if place != best]
    draw_points(axes, [places[p] for p in others], [points[p] for p in others], TRIAL, apart=False)
    if best in having:
        _draw_best(axes, places[having.index(best)], points[having.index(best)])
    task, model = _searched(trials.cells[0])
    column = trials.column(path)
    axes.set_xlabel(field_name(own_name(path)), parse_math=False)
    axes.set_ylabel(axis_name("samples to target", "median", LOWER))
    tick_counts(picture, axes, "y")
    scale.apply(picture, axes)
    picture.finish(axes, f"{model}, {task}")
    labels = {"task": task, "model": model, "field": column}
    marked = {"best": [place == best for place in having]}
    note_points(picture, labels, ("value", values), points, measure, marked)


def _draw_best(axes: Axes, place: float, point: Point) -> None:
    """The best trial, and its interval over the panel's whole width."""
    named = replace(BEST, name=f"best: {_words(point)}")
    draw_points(axes, [place], [point], named, apart=False)
    if point.value is not None:
        low, high = point.low or point.value / DOWN, point.high or point.beyond
        assert high is not None
        axes.axhspan(low, high, zorder=0, **BEST.band)


def _words(point: Point) -> str:
    estimate = Estimate(value=point.value, low=point.low, high=point.high)
    return " ".join(format_time_to_target(estimate, point.beyond)).rstrip()
