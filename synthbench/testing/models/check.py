"""Examining a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.models.building_laws import BUILDING_LAWS, STATE_LAWS
from synthbench.testing.models.forward_laws import FORWARD_LAWS
from synthbench.testing.models.stacking_laws import STACKING_LAWS
from synthbench.testing.models.trial import ModelTrial
from synthbench.testing.report import Report
from synthbench.testing.workbench.example_inputs import example_interfaces, without_examples

MODEL_LAWS: tuple[Law[Any], ...] = (
    *CONFIGURATION_LAWS,
    *BUILDING_LAWS,
    *FORWARD_LAWS,
    *STATE_LAWS,
    *STACKING_LAWS,
)


def model_examination(model: Model, interfaces: Sequence[Interface] = ()) -> Examination:
    """A model's laws, to be judged one by one; the arguments are those of `check_model`."""
    if interfaces:
        return Examination(model.label(), MODEL_LAWS, ModelTrial(model, tuple(interfaces)))
    trial = ModelTrial(model, example_interfaces(model))
    lacking = ", ".join(kind.__name__ for kind in without_examples(model))
    if lacking:
        trial.facts["not tried"] = f"{lacking}: the port brings no examples()"
    return Examination(model.label(), MODEL_LAWS, trial)


def examine_model(model: Model, interfaces: Sequence[Interface] = ()) -> Report:
    """Judge a model by every law; the arguments are those of `check_model`."""
    return model_examination(model, interfaces).report()


def check_model(model: Model, interfaces: Sequence[Interface] = ()) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a model keeps them all.

    interfaces: those to try; default: small ones of the kinds that it declares, which each kind
    brings (`Port.examples`). Returns the verdicts and facts, such as why replicas must be looped,
    or which kind brings no example. Raises ConfigurationError where nothing can be tried.
    """
    report = examine_model(model, interfaces)
    report.raise_if_broken()
    return report
