"""Examining a suite."""

from __future__ import annotations

from synthbench.plan.suite import Suite
from synthbench.registry.registry import Registry, installed
from synthbench.testing.examination import Examination
from synthbench.testing.report import Report
from synthbench.testing.suites.laws import SUITE_LAWS
from synthbench.testing.suites.trial import SuiteTrial


def suite_examination(suite: Suite, registry: Registry | None = None) -> Examination:
    """A suite's laws, to be judged one by one.

    registry: where its tasks, models and probes are looked up; default: everything installed.
    """
    return Examination(suite.name, SUITE_LAWS, SuiteTrial(suite, registry or installed()))


def examine_suite(suite: Suite, registry: Registry | None = None) -> Report:
    """Judge a suite by every law; the arguments are those of `check_suite`."""
    return suite_examination(suite, registry).report()


def check_suite(suite: Suite, registry: Registry | None = None) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a suite keeps them all.

    suite: as `synthbench.read_suite` reads it. registry: where its tasks, models and probes are
    looked up; default: everything installed. Returns the verdicts and facts.
    """
    report = examine_suite(suite, registry)
    report.raise_if_broken()
    return report
