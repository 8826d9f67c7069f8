"""Pictures of a tuning: time to target against each field that was searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.errors import explain
from synthbench.results.figures.rendering import save_figure
from synthbench.results.results import CellResult, Results
from synthbench.tuning.confirm import folder_names
from synthbench.tuning.plan import TuningPlan
from synthbench.tuning.tune import Search


def try_tuning_pictures(
    plan: TuningPlan, searches: Sequence[Search], folder: Path
) -> dict[str, str]:
    """Draw the trials of each model into the folder of their tuning: `tuning-MODEL.png`.

    Returns, for the name of each picture, an empty string or why it could not be drawn: what was
    measured is on disk, and no picture may cost it.
    """
    return {
        f"tuning-{name}.png": _try(
            [each for each in searches if each.model == model], folder / f"tuning-{name}.png"
        )
        for name, model in zip(folder_names(plan), plan.models, strict=True)
    }


def _try(searches: Sequence[Search], path: Path) -> str:
    cells = [CellResult(trial.latest, True) for search in searches for trial in search.trials]
    try:
        save_figure(Results(cells).plot("tuning"), [path])
    # Whatever it is, such as too few trials to draw or a setting of matplotlib's.
    except Exception as error:
        return explain(error)
    return ""
