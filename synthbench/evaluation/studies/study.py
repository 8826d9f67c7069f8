"""A study: a grid of cells, in Python and in a file, and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError
from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.kept_weights import KeepWeights
from synthbench.evaluation.planning import NO_MODEL, Participants, plan_suite
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.source_references import StandsOn, stand
from synthbench.evaluation.studies.plan import StudyPlan, spanned, varied_fields
from synthbench.evaluation.studies.task_grid import task_grid
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.protocol_grid import protocol_changes, varied_protocol_fields
from synthbench.plan.sources import Mask, Teacher, Weights
from synthbench.plan.study.written_values import value_text
from synthbench.plan.suite import Suite, suite_protocol
from synthbench.registry.bare_model import Builder
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.results.results import CellResult, Results

Taught: TypeAlias = "Teacher[Any] | CellResult | str | None"


@dataclass(frozen=True, kw_only=True)
class Study:
    """Every task with every model under every protocol: a grid of cells.

    tasks, models: objects, or references whose fields may take several values, such as `'mlp
    width=[50,100] lr=log(0.01..1,7)'`; models may also be bare modules, as `evaluate` takes them;
    none: the baseline of the preset that each task names. protocol: a `Protocol`, or its fields by
    name, each with a value or several: `{"seeds": 8, "budget": ["20k", "40k"], "train_samples":
    "log(500..16000,6)"}`. suite: in place of tasks, by name; models are then the suite's unless
    some are given, and cells chooses some of its cells, counted from 1. teacher, start, mask: as
    `evaluate` takes them, for every model; of several teachers every model is taught by each, and
    "none" among them is none; of several masks it has each in turn. keep_weights: as in
    `Settings`. name, out: the results go to the folder `name` in `out`; none: the suite's name, or
    those of the tasks.
    """

    tasks: Sequence[str | Task] = ()
    models: Sequence[str | Model | Builder] = ()
    protocol: Protocol | Mapping[str, Any] = field(default_factory=dict)
    probes: Sequence[str | Probe] = ()
    suite: str | Suite | None = None
    suite_cells: Sequence[int] = ()
    teacher: Taught | Sequence[Taught] = None
    start: Weights[Any] | CellResult | str | None = None
    mask: Mask[Any] | Sequence[Mask[Any]] | None = None
    keep_weights: KeepWeights = False
    name: str = ""
    out: Path | str = "runs"

    @property
    def cells(self) -> list[Cell]:
        """The cells as they are shown: by task, model, protocol, then teacher."""
        return list(self.plan.cells)

    def summary(self) -> str:
        """How many cells and replicas that is: `2 tasks x 21 models = 42 cells, 1,344 replicas`."""
        return self.plan.summary()

    @property
    def folder(self) -> Path:
        """Where the results go unless `evaluate_study` is told otherwise."""
        suite = self.plan.suite
        tasks = "-".join(dict.fromkeys(cell.task.name for cell in self.plan.cells))
        return Path(self.out) / (self.name or (suite.name if suite else tasks))

    @cached_property
    def plan(self) -> StudyPlan:
        """The cells and how many there are of what.

        Raises a SynthbenchError with one clear line for anything that is not allowed.
        """
        suite, changes = self._own_suite(), self._changes()
        tasks = _listed(self.tasks)
        given = _listed(self.models) or (suite.models if suite else ())
        if suite is None:
            present = Participants(given, _listed(self.probes))
            parts = [task_grid(each, present) for each in tasks]
            grids = [[cell for part in parts for cell in part.cells(own)] for own in changes]
            models = parts[0].models
            first = {"task": sum(len(part.tasks) for part in parts)}
        else:
            models = [model for each in given for model in spanned(MODEL, each)]
            shared = [suite_protocol(suite, own) for own in changes]
            grids = [plan_suite(suite, models, each, self.suite_cells) for each in shared]
            first = {f"{suite.name} cell": len(self.suite_cells) or len(suite.cells)}
        masks = _listed(self.mask) or (None,)
        teachers = _listed(self.teacher)
        ways = [StandsOn(each, self.start, mask) for each in teachers for mask in masks]
        own_cells = [cell for alike in zip(*grids, strict=True) for cell in alike]
        cells = [stand(cell, on) for cell in own_cells for on in ways]
        standing = {"teacher": len(teachers), "mask": len(masks)}
        times = {"protocol": len(changes), **standing}
        several = {word: number for word, number in times.items() if number > 1}
        fields = varied_fields(tasks, given, varied_protocol_fields(self._texts()))
        return StudyPlan(
            tuple({cell.plan_hash(): cell for cell in cells}.values()),
            suite,
            {**first, "model": len(models), **several},
            (*fields, *(word for word in standing if word in several)),
        )

    def _own_suite(self) -> Suite | None:
        """The suite, with the probes that were asked for beside its own."""
        if self.suite is None:
            if self.suite_cells:
                raise ConfigurationError("--cell chooses cells of a suite; name one")
            if not self.tasks:
                raise ConfigurationError(NO_MODEL)
            return None
        if self.tasks:
            raise ConfigurationError("name either a suite or --task, not both")
        suite = installed().suite(self.suite) if isinstance(self.suite, str) else self.suite
        own = [each if isinstance(each, str) else each.label() for each in _listed(self.probes)]
        return suite.model_copy(update={"probes": (*suite.probes, *own)}) if own else suite

    def _changes(self) -> list[dict[str, Any]]:
        if isinstance(self.protocol, Protocol):
            return [self.protocol.model_dump(exclude_unset=True)]
        return protocol_changes(self._texts(), lambda key, text: f"protocol {key} = {text}")

    def _texts(self) -> dict[str, str]:
        if isinstance(self.protocol, Protocol):
            return {}
        return {key: value_text(value) for key, value in self.protocol.items()}


def _listed(given: Any) -> Sequence[Any]:
    """What is given alone is a list of one."""
    return given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)


def evaluate_study(
    study: Study, *, out: Path | str | None = None, settings: Settings | None = None
) -> Results:
    """Train and measure the cells of a study, and draw them side by side.

    out: the folder for the results; default `study.folder`, which is that of the command line, so
    that either finds what the other has trained. Otherwise like `evaluate_cells`.
    """
    settings = settings or Settings()
    settings = replace(settings, keep_weights=settings.keep_weights or study.keep_weights)
    plan, folder = study.plan, study.folder if out is None else out
    return evaluate_cells(plan.cells, folder, settings, plan.suite)
