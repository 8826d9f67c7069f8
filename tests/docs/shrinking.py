"""How the documentation's evaluations are made small: the one thing that is not as written.

Commands and snippets run as they stand: parsing, planning, training, recording, metrics,
pictures, submitting, boards. But within `shrunk`

- everything trains in this process, workers being those of `tests/launchers`, and so does
  verification, elsewhere in a process of its own (`tests/cli/test_leaderboard.py`);
- a cell has at most 3 replicas (2 x 2 where initializations are crossed), 5 steps, 128 held-out
  samples and hardly more training samples, and trains on the CPU in one block;
- a grid of more than 24 cells has 9, from all over it;
- a tuning tries 3 configurations of each model, each to the end of that at once;
- a suite has its first cell alone, with 6 replicas (the fewest that are ranked) and 128 held-out
  samples; of a parity it has an easy one, so that boards have something to rank.

`pytest -m slow tests/docs` runs everything without it.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synthbench.contracts.launcher import Launcher
from synthbench.evaluation import evaluate as evaluation
from synthbench.evaluation import workplace
from synthbench.evaluation.planning import plan_suite
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.studies import study
from synthbench.leaderboard.submissions.packing import Wording, pack
from synthbench.leaderboard.verification import limits
from synthbench.plan.cell import Cell
from synthbench.plan.sources import moments_of
from synthbench.plan.suite import Suite, SuiteCell, read_suite
from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed
from synthbench.results.results import Results
from synthbench.tuning import confirm, rungs, tune
from synthbench.tuning import plan as tuning_plan
from tests.leaderboard.verified_here import within_this_process

SEEDS, CROSSED_SEEDS, SUITE_SEEDS, STEPS, HELD_OUT = 3, 4, 6, 5, 128
TRIALS = 3
WHOLE, CELLS = 24, 9
EASY_TASK, EASY_BUDGET = "sparse-parity n=6 k=2", 3_200
named_launcher = workplace.named_launcher
train_cells, train_each = evaluation.evaluate_cells, evaluation.evaluate_each


def shrink(patch: pytest.MonkeyPatch, boards: Path) -> None:
    """Make every evaluation small; boards: folder for the small suites."""
    patch.setattr(limits, "within", within_this_process)
    patch.setattr(workplace, "named_launcher", named_by_reference)
    patch.setattr(workplace, "worthwhile_launcher", lambda *rest: None)
    for plugin in installed().host.plugins:
        for name, suite in list(plugin.provided[SUITE].items()):
            small = small_suite(suite, boards)
            patch.setitem(plugin.provided[SUITE], name, small)
    patch.setattr(tuning_plan, "TRIALS_EACH", TRIALS)
    patch.setattr(rungs, "HALVINGS", 0)
    patch.setattr(study.Study, "cells", property(small_cells))
    patch.setattr(study, "evaluate_cells", evaluate_small_grid)
    patch.setattr(tune, "evaluate_each", evaluate_each_small)
    for module in (evaluation, confirm):
        patch.setattr(module, "evaluate_cells", evaluate_small_cells)


def named_by_reference(settings: Settings) -> Launcher | None:
    """The launcher that a page names, but no workers of this machine."""
    return None if settings.launcher is None else named_launcher(settings)


def small_suite(suite: Suite, boards: Path) -> Suite:
    """The suite with its first cell alone, in a folder of its own."""
    first = suite.cells[0]
    batch = plan_suite(suite, [suite.reference])[0].batch_size
    cell = SuiteCell(task=first.task, budget=STEPS * batch)
    if first.task.startswith("sparse-parity"):
        cell = SuiteCell(task=EASY_TASK, budget=EASY_BUDGET)
    small = suite.model_copy(
        update={
            "seeds": SUITE_SEEDS,
            "evaluation_samples": HELD_OUT,
            "cells": (cell,),
            # The small submission of the reference model is another.
            "reference_entry": None,
        }
    )
    folder = boards / suite.name
    (folder / "submissions").mkdir(parents=True, exist_ok=True)
    shutil.copy(suite.folder / "suite.toml", folder)
    small._folder = read_suite(folder / "suite.toml").folder
    return small


def submit_reference(suite: Suite, runs: Path, boards: Path) -> None:
    """Put the reference model's results on a small suite's board."""
    cells = plan_suite(suite, [suite.reference])
    results = evaluate_small_cells(cells, runs / suite.name, Settings(), suite)
    name = suite.reference.replace(" ", "-").replace("=", "-")
    wording = Wording(name, suite.reference, ("The SynthBench developers",))
    pack(results.measured, suite, wording, "fixed-recipe", [], boards)


def small_cells(grid: study.Study) -> list[Cell]:
    """What is looked for of a grid, as it was trained."""
    return alike_once(some_of(grid.plan.cells))


def some_of(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Of a large grid cells from all over it; of a smaller one claims may need every cell."""
    return cells if len(cells) <= WHOLE else cells[:: math.ceil(len(cells) / CELLS)]


def alike_once(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, small; those that are alike when small are one."""
    return list({cell.plan_hash(): cell for cell in map(small_cell, cells)}.values())


def evaluate_small_grid(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """`evaluate_cells`, of some cells of a study, small."""
    return evaluate_small_cells(some_of(cells), out, settings, suite)


def evaluate_small_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """`evaluate_cells`, of small cells."""
    return train_cells(alike_once(cells), out, quick(settings), suite)


def evaluate_each_small(
    cells: Sequence[Cell], out: Path | str, settings: Settings
) -> tuple[Results, dict[str, Exception]]:
    """`evaluate_each`, of small cells."""
    return train_each(alike_once(cells), out, quick(settings))


def quick(settings: Settings) -> Settings:
    """On the CPU, each cell in one block."""
    trainer = replace(settings.trainer, accelerator="cpu")
    return replace(settings, trainer=trainer, replicas_per_block=SUITE_SEEDS)


def small_cell(cell: Cell) -> Cell:
    """The cell, and those that it stands on, with few replicas, steps and samples."""
    own = replace(cell, **{name: small_source(each) for name, each in cell.sources().items()})
    return smaller(own)


def small_source(source: Any) -> Any:
    """The source with a small cell, at steps that this has."""
    cell = small_cell(source.cell)
    moments = tuple(at if at == "last" else min(at, cell.steps) for at in moments_of(source))
    return replace(source, cell=cell, at=moments if isinstance(source.at, tuple) else moments[0])


def smaller(cell: Cell) -> Cell:
    """The cell with few replicas, steps and samples."""
    protocol, batch = cell.protocol, cell.batch_size
    if cell.task.label() == installed().task(EASY_TASK).label():
        own = {"seeds": SUITE_SEEDS, "budget": min(protocol.budget, EASY_BUDGET)}
        return replace(cell, protocol=protocol.model_copy(update=own))
    crossed = protocol.initializations is not None
    least = {
        "seeds": min(protocol.seeds, CROSSED_SEEDS if crossed else SEEDS),
        "initializations": 2 if crossed else None,
        "budget": min(protocol.budget, STEPS * batch),
        "evaluation_samples": min(protocol.evaluation_samples, HELD_OUT),
    }
    if protocol.train_samples is not None:
        # Sets of different sizes stay different, for grids over them.
        few = max(HELD_OUT, batch) + protocol.train_samples % 61
        least["train_samples"] = min(protocol.train_samples, few)
    return replace(cell, protocol=protocol.model_copy(update=least))
