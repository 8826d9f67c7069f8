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
from synthbench.testing.workbench.example_inputs import example_interfaces

MODEL_LAWS: tuple[Law[Any], ...] = (
    *CONFIGURATION_LAWS,
    *BUILDING_LAWS,
    *FORWARD_LAWS,
    *STATE_LAWS,
    *STACKING_LAWS,
)


def model_examination(model: Model, interfaces: Sequence[Interface] = ()) -> Examination:
    """A model's laws, to be judged one by one; the arguments are those of `check_model`."""
    chosen = tuple(interfaces) or example_interfaces(model)
    return Examination(model.label(), MODEL_LAWS, ModelTrial(model, chosen))


def examine_model(model: Model, interfaces: Sequence[Interface] = ()) -> Report:
    """Judge a model by every law; the arguments are those of `check_model`."""
    return model_examination(model, interfaces).report()


def check_model(model: Model, interfaces: Sequence[Interface] = ()) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a model keeps them all.

    interfaces: those to try; default: small ones of the kinds that it declares, of SynthBench's
    own kinds. Returns the verdicts and facts, such as why replicas must be looped. Raises
    ConfigurationError where a model declares a third party's kinds alone and none is given.
    """
    report = examine_model(model, interfaces)
    report.raise_if_broken()
    return report
