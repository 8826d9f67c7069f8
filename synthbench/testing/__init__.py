"""The conformance kit: laws of tasks, models, probes, optimizers, measurements, suites, studies.

    from synthbench.testing import check_task

    def test_laws():
        check_task(MyTask())

`synthbench plugin check NAME` and `pytest --synthbench NAME` run the same laws.
"""

from __future__ import annotations

from synthbench.testing.law import Law
from synthbench.testing.measurements.check import check_measurement, examine_measurement
from synthbench.testing.measurements.laws import MEASUREMENT_LAWS
from synthbench.testing.models.check import MODEL_LAWS, check_model, examine_model
from synthbench.testing.optimizers.check import OPTIMIZER_LAWS, check_optimizer, examine_optimizer
from synthbench.testing.probes.check import PROBE_LAWS, check_probe, examine_probe
from synthbench.testing.report import ConformanceError, Finding, Report, Status, Verdict
from synthbench.testing.studies.check import check_study, examine_study
from synthbench.testing.studies.laws import STUDY_LAWS
from synthbench.testing.suites.check import check_suite, examine_suite
from synthbench.testing.suites.laws import SUITE_LAWS
from synthbench.testing.tasks.check import TASK_LAWS, check_task, examine_task

__all__ = [
    "MEASUREMENT_LAWS",
    "MODEL_LAWS",
    "OPTIMIZER_LAWS",
    "PROBE_LAWS",
    "STUDY_LAWS",
    "SUITE_LAWS",
    "TASK_LAWS",
    "ConformanceError",
    "Finding",
    "Law",
    "Report",
    "Status",
    "Verdict",
    "check_measurement",
    "check_model",
    "check_optimizer",
    "check_probe",
    "check_study",
    "check_suite",
    "check_task",
    "examine_measurement",
    "examine_model",
    "examine_optimizer",
    "examine_probe",
    "examine_study",
    "examine_suite",
    "examine_task",
]
