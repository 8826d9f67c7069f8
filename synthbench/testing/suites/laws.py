"""Laws of a suite: that every cell of it can be trained and measured."""

from __future__ import annotations

from synthbench.engine.inspection.task import check_task
from synthbench.errors import SynthbenchError
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.suites.trial import SuiteTrial


@law(
    "references-resolve",
    "Every task, model and probe that the suite file names exists, with the fields it is given.",
    "write names and fields as `synthbench show NAME` gives them; after renaming a field, rename "
    "it in the suite file too.",
)
def references_resolve(trial: SuiteTrial) -> Outcome:
    """Each reference, from the first cell on."""
    tasks = [row.task for row in trial.subject.cells]
    kinds = (
        (trial.task, tasks), (trial.model, trial.models), (trial.probe, trial.subject.probes)
    )  # fmt: skip
    for find, references in kinds:
        for reference in references:
            try:
                find(reference)
            except SynthbenchError as error:
                return f"{reference}: {error}"
    return None


@law(
    "cells-differ",
    "No two cells of the suite are the same.",
    "leave out the second one, or give it another budget, another score or other fields.",
    needs=("references-resolve",),
)
def cells_differ(trial: SuiteTrial) -> Outcome:
    """By the plan of each row."""
    seen: dict[str, int] = {}
    for number, row in enumerate(trial.subject.cells, start=1):
        plan = trial.cell(row, trial.models[0]).plan_hash()
        if plan in seen:
            return f"cells {seen[plan]} and {number} ({row.task}) are the same"
        seen[plan] = number
    return None


@law(
    "cells-fit",
    "Every model takes every task, and every budget pays for a step of it.",
    "take models that accept the tasks' interfaces (synthbench show NAME), a budget of at least "
    "one batch, and evaluation_samples in multiples of 128.",
    needs=("references-resolve",),
)
def cells_fit(trial: SuiteTrial) -> Outcome:
    """Each cell, as it is checked before it trains."""
    for what, cell in trial.cells():
        try:
            cell.check()
        except SynthbenchError as error:
            return f"{what}: {error}"
    return None


@law(
    "cells-are-measurable",
    "Every cell's score exists, and tells the task's ceiling from the trivial predictor.",
    "name a score that the task has (score@set on another test set than the first), and take as "
    "many evaluation_samples as it needs.",
    needs=("cells-fit",),
)
def cells_are_measurable(trial: SuiteTrial) -> Outcome:
    """Each task's references on the samples of the suite's own evaluation."""
    for number, row in enumerate(trial.subject.cells, start=1):
        try:
            check_task(trial.cell(row, trial.models[0]))
        except SynthbenchError as error:
            return f"cell {number} ({row.task}): {error}"
    trial.facts["cells"] = f"{len(trial.subject.cells)} with {len(trial.models)} models"
    return None


SUITE_LAWS: tuple[Law[SuiteTrial], ...] = (
    references_resolve,
    cells_differ,
    cells_fit,
    cells_are_measurable,
)
