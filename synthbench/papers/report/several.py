"""Reports of every installed study of which anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synthbench.errors import ConfigurationError, SynthbenchError
from synthbench.papers.kept import kept_study
from synthbench.papers.reading import find_paper_study
from synthbench.papers.report.content import Report, report_content
from synthbench.registry.kinds import STUDY
from synthbench.registry.registry import installed


def all_reports(
    runs: Path,
    leave_out: Callable[[str, SynthbenchError], None],
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    full: bool = False,
) -> list[Report]:
    """The reports of what is kept in the folder of all results, by the names of the studies.

    leave_out: told the name of a study that cannot be judged, and why: it keeps the others from
    no page. progress: told how many studies are read, of how many. full: of the grids with the
    paper's sizes. Raises ConfigurationError where there is no report.
    """
    reports = []
    names = sorted(installed().names(STUDY))
    for done, name in enumerate(names):
        progress(done, len(names))
        try:
            kept = kept_study(find_paper_study(name), runs, full=full)
            if not kept.is_empty:
                reports.append(report_content(kept, name))
        except SynthbenchError as error:
            leave_out(name, error)
    progress(len(names), len(names))
    if not reports:
        raise ConfigurationError(
            f"nothing of any study is run in {runs}; first: synthbench study run STUDY"
        )
    return reports
