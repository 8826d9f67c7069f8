"""The picture of a tuning: time to target against each field that was searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.errors import explain
from synthbench.results.figures.rendering import save_figure
from synthbench.results.results import CellResult, Results
from synthbench.tuning.tune import Search

PICTURE_FILE = "tuning.png"


def try_tuning_picture(searches: Sequence[Search], folder: Path) -> str:
    """Draw the trials into the folder of their tuning; where it is or, if it failed, why.

    What was measured is on disk, and no picture may cost it.
    """
    cells = [CellResult(trial.latest, True) for s in searches for trial in s.trials]
    path = folder / PICTURE_FILE
    try:
        save_figure(Results(cells).plot("tuning"), [path])
    # Whatever it is, such as too few trials to draw or a setting of matplotlib's.
    except Exception as error:
        return f"none, {explain(error)}"
    return str(path)
