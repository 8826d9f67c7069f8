"""Examining a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError
from synthbench.evaluation.planning import resolve_model
from synthbench.registry.bare_model import BareModel, Builder
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.models.building_laws import BUILDING_LAWS
from synthbench.testing.models.forward_laws import FORWARD_LAWS, takes_shorter
from synthbench.testing.models.training_laws import TRAINING_LAWS
from synthbench.testing.models.trial import ModelTrial
from synthbench.testing.report import Report
from synthbench.testing.workbench.example_inputs import example_interfaces, without_examples

MODEL_LAWS: tuple[Law[Any], ...] = (
    *CONFIGURATION_LAWS,
    *BUILDING_LAWS,
    *FORWARD_LAWS,
    *TRAINING_LAWS,
)
DECLARED = (*CONFIGURATION_LAWS, takes_shorter)
"""Laws of what a model says of itself, which a bare module does not."""


def model_examination(
    model: Model | Builder | str, interfaces: Sequence[Interface] = ()
) -> Examination:
    """A model's laws, to be judged one by one; the arguments are those of `check_model`."""
    subject = resolve_model(model)
    bare = isinstance(subject, BareModel)
    if bare and not interfaces:
        raise ConfigurationError(
            f'"{subject.name}" is a bare module, which does not say what it is for; name a task, '
            "--task 'sparse-parity n=10 k=2', or in Python "
            "check_model(..., interfaces=[task.interface])"
        )
    laws = tuple(law for law in MODEL_LAWS if not (bare and law in DECLARED))
    trial = ModelTrial(subject, tuple(interfaces) or example_interfaces(subject))
    lacking = ", ".join(kind.__name__ for kind in without_examples(subject))
    if lacking and not interfaces:
        trial.facts["not tried"] = f"{lacking}: the port brings no examples()"
    return Examination(subject.label(), laws, trial)


def examine_model(model: Model | Builder | str, interfaces: Sequence[Interface] = ()) -> Report:
    """Judge a model by every law; the arguments are those of `check_model`."""
    return model_examination(model, interfaces).report()


def check_model(model: Model | Builder | str, interfaces: Sequence[Interface] = ()) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a model keeps them all.

    model: itself, its reference, or a bare `nn.Module` class or a function that builds one, as
    `evaluate` takes it. interfaces: those to try; default: small ones of the kinds that it
    declares, which each kind brings (`Port.examples`). A bare module declares none. Returns the
    verdicts and facts, such as in which way its replicas are trained and why in no faster one, or
    which kind brings no example. Raises ConfigurationError where nothing can be tried.
    """
    report = examine_model(model, interfaces)
    report.raise_if_broken()
    return report
