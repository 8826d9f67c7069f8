"""A name in the place of another kind: `synthbench eval markov`, where markov is a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from synthbench.contracts.model import Model
from synthbench.contracts.task import Task
from synthbench.errors import SynthbenchError
from synthbench.plan.suite import Suite
from synthbench.registry.kinds import (
    LAUNCHER,
    MEASUREMENT,
    MODEL,
    OPTIMIZER,
    PROBE,
    STUDY,
    SUITE,
    TASK,
    TRACKER,
    Kind,
)
from synthbench.registry.plugin import Plugin

EVAL = "synthbench eval"


class Lookup(Protocol):
    """What is asked of a registry here."""

    def names(self, kind: Kind[Any]) -> dict[str, Plugin]:
        """Name -> providing plugin."""

    def suite(self, name: str) -> Suite:
        """The suite of that name."""

    def task(self, reference: str) -> Task:
        """A task from a reference."""

    def model(self, reference: str) -> Model:
        """A model from a reference."""


def misplaced(lookup: Lookup, wanted: Kind[Any], found: Kind[Any], name: str) -> str:
    """What the name is instead, and the command that takes it.

    wanted: the kind that was looked for; found: one under which the name is registered.
    """
    said = f'"{name}" is {_a(found.word)}, not {_a(wanted.word)}'
    if wanted == SUITE or found.is_file:
        return f"{said}; write: {_command(lookup, found, name)}"
    return f"{said} (synthbench list {wanted.plural}; synthbench show {name})"


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _command(lookup: Lookup, found: Kind[Any], name: str) -> str:
    if found == SUITE:
        return f"{EVAL} {name}"
    if found == MEASUREMENT:
        return f'measurements = ["{name}"] in a grid of a paper study'
    if found == STUDY:
        return f"synthbench study run {name}"
    if found == TASK:
        return f"{EVAL} --task {name} --model {_model_for(lookup, name)}"
    if found == MODEL:
        return f"{EVAL} {_suite_for(lookup, name)} --model {name}"
    flags = {
        PROBE: f"--probe {name}",
        OPTIMIZER: f"--model 'MODEL optimizer={name}'",
        TRACKER: f"--tracker {name}",
        LAUNCHER: f"--launcher {name}",
    }
    return f"{EVAL} SUITE {flags[found]}"


def _model_for(lookup: Lookup, task: str) -> str:
    """That of the smallest suite with the task, or the first that takes it."""
    for suite in _by_cost(lookup):
        if any(cell.task.split()[0] == task for cell in suite.cells):
            return suite.models[0].split()[0]
    fitting = (name for name in lookup.names(MODEL) if _fits(lookup, name, task))
    return next(fitting, "MODEL")


def _suite_for(lookup: Lookup, model: str) -> str:
    """The smallest suite of which the model takes every task."""
    for suite in _by_cost(lookup):
        if all(_fits(lookup, model, cell.task) for cell in suite.cells):
            return suite.name
    return "SUITE"


def _by_cost(lookup: Lookup) -> Iterator[Suite]:
    """Suites, those with fewer samples first."""
    suites = [lookup.suite(name) for name in lookup.names(SUITE)]
    yield from sorted(suites, key=lambda s: s.seeds * sum(cell.budget for cell in s.cells))


def _fits(lookup: Lookup, model: str, task: str) -> bool:
    try:
        lookup.model(model).check_accepts(lookup.task(task).interface)
    # A required field that a bare name does not give, or an interface of another kind.
    except SynthbenchError:
        return False
    return True
