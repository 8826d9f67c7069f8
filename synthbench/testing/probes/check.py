"""Examining a probe."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.interface import Tokens
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, InterfaceError, SynthbenchError
from synthbench.registry.kinds import MODEL, TASK, Kind
from synthbench.registry.registry import Registry, installed
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.probes.laws import PROBE_LAWS as OWN_LAWS
from synthbench.testing.probes.trial import ProbeTrial
from synthbench.testing.report import Report
from synthbench.testing.workbench.example_network import ExampleNetwork

C = TypeVar("C", bound=Configuration)

PROBE_LAWS: tuple[Law[Any], ...] = (*CONFIGURATION_LAWS, *OWN_LAWS)


def probe_examination(
    probe: Probe, task: str | Task | None = None, model: str | Model | None = None
) -> Examination:
    """A probe's laws, to be judged one by one; the arguments are those of `check_probe`."""
    chosen_task, chosen_model = _subject_of(probe, task, model)
    trial = ProbeTrial(probe, chosen_task, chosen_model)
    return Examination(probe.label(), PROBE_LAWS, trial)


def examine_probe(
    probe: Probe, task: str | Task | None = None, model: str | Model | None = None
) -> Report:
    """Judge a probe by every law; the arguments are those of `check_probe`."""
    return probe_examination(probe, task, model).report()


def check_probe(
    probe: Probe, task: str | Task | None = None, model: str | Model | None = None
) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a probe keeps them all.

    task, model: what it is tried on, objects or references; default: the first of the installed
    ones, small inputs first, that it measures without raising. Raises ConfigurationError where
    no task is installed.
    """
    report = examine_probe(probe, task, model)
    report.raise_if_broken()
    return report


def _subject_of(
    probe: Probe, task: str | Task | None, model: str | Model | None
) -> tuple[Task, Model]:
    """The first task and model that the probe measures; the first of all where there is none."""
    pairs = list(_pairs(installed(), task, model))
    if not pairs:
        raise ConfigurationError(
            "no task and model to try the probe on; install a plugin with a task, or say "
            "check_probe(probe, task=..., model=...)"
        )
    for pair in pairs:
        try:
            trial = ProbeTrial(probe, *pair)
            trial.one(trial.untrained())
        except Exception:
            continue
        return pair
    return pairs[0]


def _pairs(
    registry: Registry, task: str | Task | None, model: str | Model | None
) -> Iterator[tuple[Task, Model]]:
    """Tasks and models that fit together, small inputs and the kit's own network first."""
    tasks = [registry.task(task)] if task is not None else _all_of(registry, TASK)
    models = (
        [registry.model(model)]
        if model is not None
        else [ExampleNetwork(), *_all_of(registry, MODEL)]
    )
    # Bundled ones first, so that what else is installed changes nothing.
    bundled = registry.bundled(TASK)

    def order(task: Task) -> tuple[bool, int]:
        return task.name not in bundled, _input_numbers(task)

    for each in sorted(tasks, key=order):
        for network in models:
            try:
                network.check_accepts(each.interface)
            except InterfaceError:
                continue
            yield each, network


def _input_numbers(task: Task) -> int:
    """Numbers of one example's input, tokens counted as their indicators."""
    given = task.interface.input
    symbols = given.vocabulary if isinstance(given, Tokens) else 1
    return math.prod(given.shape) * symbols


def _all_of(registry: Registry, kind: Kind[C]) -> list[C]:
    """An object of every registered class that needs no field."""
    found = []
    for name in registry.names(kind):
        try:
            found.append(registry.find(kind, name)())
        except (SynthbenchError, ValueError):
            continue
    return found
