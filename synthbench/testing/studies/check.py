"""Examining a paper study."""

from __future__ import annotations

from synthbench.plan.paper_study import PaperStudy
from synthbench.testing.examination import Examination
from synthbench.testing.report import Report
from synthbench.testing.studies.laws import STUDY_LAWS
from synthbench.testing.studies.trial import StudyTrial


def study_examination(study: PaperStudy) -> Examination:
    """A paper study's laws, to be judged one by one."""
    return Examination(study.name, STUDY_LAWS, StudyTrial(study))


def examine_study(study: PaperStudy) -> Report:
    """Judge a paper study by every law; the argument is that of `check_study`."""
    return study_examination(study).report()


def check_study(study: PaperStudy) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a study keeps them all.

    study: as `synthbench.read_paper_study` reads it; what it names is looked up among everything
    installed. Returns the verdicts and facts.
    """
    report = examine_study(study)
    report.raise_if_broken()
    return report
