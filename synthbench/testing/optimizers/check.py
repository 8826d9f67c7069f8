"""Examining an optimizer."""

from __future__ import annotations

from typing import Any

from synthbench.contracts.recipe import Optimizer
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.optimizers.laws import OPTIMIZER_LAWS as OWN_LAWS
from synthbench.testing.optimizers.trial import OptimizerTrial
from synthbench.testing.report import Report

OPTIMIZER_LAWS: tuple[Law[Any], ...] = (*CONFIGURATION_LAWS, *OWN_LAWS)


def optimizer_examination(optimizer: Optimizer) -> Examination:
    """An optimizer's laws, to be judged one by one."""
    return Examination(optimizer.label(), OPTIMIZER_LAWS, OptimizerTrial(optimizer))


def examine_optimizer(optimizer: Optimizer) -> Report:
    """Judge an optimizer by every law."""
    return optimizer_examination(optimizer).report()


def check_optimizer(optimizer: Optimizer) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless it keeps them all.

    Returns the verdicts and facts, such as why its step must be looped over replicas.
    """
    report = examine_optimizer(optimizer)
    report.raise_if_broken()
    return report
