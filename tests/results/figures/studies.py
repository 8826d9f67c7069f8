"""Cells of small studies, made without training."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import CellResult, Results
from tests.results.planned import Planned, planned_cells

SLOW = 0.05
"""Speed at which no replica solves the task within its budget."""


def grid(folder: Path, sizes=(10, 20, 40), widths=(8, 64)) -> list[MeasuredCell]:
    """Every size and width but the largest size at the first width; the last pair solves nothing.

    The larger n and the smaller the width, the longer it takes.
    """
    pairs = [pair for pair in product(sizes, widths) if pair != (sizes[-1], widths[0])]
    return planned_cells(
        folder,
        *(
            Planned(
                f"mlp width={width}", f"synthetic n={n}", {"n": n}, {"width": width},
                speed=SLOW if (n, width) == (sizes[-1], widths[-1]) else width / n,
            )
            for n, width in pairs
        ),
    )  # fmt: skip


def models(folder: Path, count: int) -> list[MeasuredCell]:
    """Several widths of one model on one task."""
    return planned_cells(
        folder,
        *(
            Planned(f"mlp width={10 * place}", model={"width": 10 * place}, speed=place / 3)
            for place in range(1, count + 1)
        ),
    )


def search(folder: Path) -> list[MeasuredCell]:
    """Trials of a learning rate and a width, the best in the middle, the first never done."""
    speeds = {(0.001, 8): SLOW, (0.01, 8): 0.5, (0.1, 32): 2.0, (1.0, 8): 0.7, (1.0, 32): 0.4}
    return planned_cells(
        folder,
        *(
            Planned(f"mlp width={width}", model={"width": width}, recipe={"lr": lr}, speed=speed)
            for (lr, width), speed in speeds.items()
        ),
    )


def results(cells: list[MeasuredCell]) -> Results:
    """As a reader has them."""
    return Results([CellResult(cell, reused=True) for cell in cells])
