"""Score against samples: every replica, the median, and what simple strategies score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthbench.formatting import format_count, format_time_to_target
from synthbench.records.atomic import write_atomically
from synthbench.records.schema import Record
from synthbench.trajectories import Trajectories

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito 2008: told apart by colour-blind readers; the line styles by greyscale ones.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":")
PICTURE_FILE = "learning_curves.png"
Cell = tuple[Record, Trajectories]


def save_learning_curves(cells: Sequence[Cell], path: Path) -> None:
    """Draw one panel per task with its models side by side, and write a PNG."""
    from io import BytesIO

    from matplotlib.figure import Figure

    tasks = list(dict.fromkeys(record.task for record, _ in cells))
    columns = min(len(tasks), 3)
    rows = -(-len(tasks) // columns)
    figure = Figure(figsize=(7.2 * columns, 4.4 * rows), dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel, task in zip(panels, tasks, strict=False):
        draw_panel(panel, [cell for cell in cells if cell[0].task == task])
    for panel in panels[len(tasks) :]:
        panel.remove()
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_atomically(path, buffer.getvalue())


def draw_panel(axes: Axes, cells: Sequence[Cell]) -> None:
    """Draw the models of one task into one set of axes."""
    for index, cell in enumerate(cells):
        _draw_model(axes, cell, COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)])
    record, trajectories = cells[0]
    _draw_references(axes, record, trajectories.ranked)
    if any(trajectories.column("samples").any() for _, trajectories in cells):
        axes.set_xscale("log")
    axes.set_xlabel("training samples per replica")
    axes.set_ylabel(trajectories.ranked)
    axes.set_title(record.task, loc="left", fontweight="bold", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    legend = axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9), frameon=False, fontsize=8.5)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _draw_model(axes: Axes, cell: Cell, colour: str, style: str) -> None:
    record, trajectories = cell
    samples = trajectories.by_replica("samples")
    scores = trajectories.by_replica(trajectories.ranked)
    for spent, score in zip(samples, scores, strict=True):
        axes.plot(spent[1:], score[1:], color=colour, alpha=0.18, linewidth=0.7)
    grid, carried = carry_forward(samples, scores)
    if len(grid) == 1:
        # Every replica diverged before its first evaluation.
        axes.plot([], [], color=colour, linestyle=style, label=_caption(record))
        return
    low, median, high = np.nanquantile(carried[:, 1:], [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(grid[1:], low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(
        grid[1:], median, color=colour, linestyle=style, linewidth=2.2, label=_caption(record)
    )


def carry_forward(
    samples: Sequence[NDArray[np.float64]], scores: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Common grid (E,) and scores (R, E); a replica that stopped keeps its last score."""
    grid = max(samples, key=len)
    carried = np.empty((len(scores), len(grid)))
    for row, score in zip(carried, scores, strict=True):
        row[: len(score)] = score
        row[len(score) :] = score[-1]
    return grid, carried


def _caption(record: Record) -> str:
    summary, budget = record.summary, record.plan["protocol"]["budget"]
    value, interval = format_time_to_target(summary.samples_to_target, budget)
    solved = f"{summary.solved}/{summary.replicas} solved"
    return f"{record.model}: {solved}, median {value} {interval}".rstrip()


def _draw_references(axes: Axes, record: Record, ranked: str) -> None:
    """Grey lines at the references' mean scores, and at the target between them."""
    first = record.replicas[0].references
    means = {
        name: float(np.mean([r.references[name][ranked] for r in record.replicas]))
        for name in first
    }
    trivial, optimal = means["trivial"], means["optimal"]
    target = trivial + record.plan["task"]["target"] * (optimal - trivial)
    for label, score, style in (
        ("trivial", trivial, ":"),
        ("optimal", optimal, ":"),
        (f"target {target:.3g}", target, "--"),
    ):
        axes.axhline(score, color="0.35", linestyle=style, linewidth=0.9, zorder=0)
        below = label.startswith("target")
        axes.annotate(
            label,
            (1.0, score),
            xycoords=("axes fraction", "data"),
            xytext=(-2, -2 if below else 2),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            fontsize=8,
            color="0.35",
        )


def budget_note(record: Record) -> str:
    """`32 replicas, budget 640k samples`."""
    protocol = record.plan["protocol"]
    return f"{protocol['seeds']} replicas, budget {format_count(protocol['budget'])} samples"
