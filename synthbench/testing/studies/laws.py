"""Laws of a paper study: that all of it can be trained, measured and judged."""

from __future__ import annotations

from synthbench.engine.inspection.task import check_task
from synthbench.errors import SynthbenchError
from synthbench.plan.paper_study import PaperFigure, StatedClaim
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.studies.trial import StudyTrial


@law(
    "references-resolve",
    "Every task, model, probe and kind of picture that the study names exists, with the fields it "
    "is given, and every quantity can be read.",
    "write names and fields as `synthbench show NAME` gives them, kinds as `synthbench plot --help`"
    " does, and quantities from the functions that claims have.",
)
def references_resolve(trial: StudyTrial) -> Outcome:
    """As it is checked before it is run."""
    try:
        trial.check()
    except SynthbenchError as error:
        return str(error)
    return None


@law(
    "cells-fit",
    "Every model takes every task of its grid, and every budget pays for a step, with the paper's "
    "sizes too.",
    "take models that accept the tasks' interfaces (synthbench show NAME), a budget of at least "
    "one batch, and evaluation_samples in multiples of 128.",
    needs=("references-resolve",),
)
def cells_fit(trial: StudyTrial) -> Outcome:
    """Each cell, as it is checked before it trains."""
    for full in (False, True):
        try:
            cells = trial.cells(full)
        except SynthbenchError as error:
            return str(error)
        for what, cell in cells:
            try:
                cell.check()
            except SynthbenchError as error:
                return f"{what}: {error}"
    return None


@law(
    "cells-are-measurable",
    "Every score exists, and tells the task's ceiling from the trivial predictor.",
    "name a score that the task has (score@set on another test set than the first), and take as "
    "many evaluation_samples as it needs.",
    needs=("cells-fit",),
)
def cells_are_measurable(trial: StudyTrial) -> Outcome:
    """Each task's references on the samples of the grid's evaluation, once for each protocol."""
    seen = set()
    for what, cell in trial.cells(False):
        key = cell.task.label(), cell.protocol
        if key not in seen:
            seen.add(key)
            try:
                check_task(cell)
            except SynthbenchError as error:
                return f"{what}: {error}"
    sizes = (len(trial.cells(False)), len(trial.cells(True)))
    trial.facts["cells"] = f"{sizes[0]}, with the paper's sizes {sizes[1]}"
    return None


@law(
    "columns-exist",
    "Every figure and every claim asks for what the results of its grid will have.",
    "write fields as `synthbench show NAME` gives them, and what is measured as the tables of "
    "`synthbench metrics` call it; names of scores and probes are of evaluations: last(accuracy).",
    needs=("cells-are-measurable",),
)
def columns_exist(trial: StudyTrial) -> Outcome:
    """As they are asked for before the study is run, with the paper's sizes too."""
    for full in (False, True):
        try:
            trial.check_columns(full)
        except SynthbenchError as error:
            return str(error)
    return None


@law(
    "grids-are-used",
    "Every grid has a claim or a figure that is about it.",
    "state what the grid is to show, or leave it out: it costs its training.",
)
def grids_are_used(trial: StudyTrial) -> Outcome:
    """By the names that claims and figures have."""
    study = trial.subject
    parts: list[PaperFigure | StatedClaim] = [*study.figures, *study.claims]
    used = {grid for part in parts for grid in study.grids_of(part)}
    idle = [grid for grid in study.grids if grid not in used]
    return f"nothing is about the grid {', '.join(idle)}" if idle else None


STUDY_LAWS: tuple[Law[StudyTrial], ...] = (
    references_resolve,
    cells_fit,
    cells_are_measurable,
    columns_exist,
    grids_are_used,
)
