"""Examining a measurement."""

from __future__ import annotations

from synthbench.contracts.measurement import Measurement
from synthbench.testing.examination import Examination
from synthbench.testing.measurements.laws import MEASUREMENT_LAWS
from synthbench.testing.measurements.trial import MeasurementTrial
from synthbench.testing.report import Report


def measurement_examination(measurement: Measurement) -> Examination:
    """A measurement's laws, to be judged one by one."""
    return Examination(measurement.label(), MEASUREMENT_LAWS, MeasurementTrial(measurement))


def examine_measurement(measurement: Measurement) -> Report:
    """Judge a measurement by every law; the argument is that of `check_measurement`."""
    return measurement_examination(measurement).report()


def check_measurement(measurement: Measurement) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless one keeps them all.

    It is measured with the seeds 0, 1 and 2, several times: give it fields for which that is fast.
    """
    report = examine_measurement(measurement)
    report.raise_if_broken()
    return report
