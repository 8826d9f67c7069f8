"""Saving a report to the server: a new one, or the one that an earlier call made."""

from __future__ import annotations

import wandb

from synthbench_wandb.library import wr
from synthbench_wandb.report import MARK
from synthbench_wandb.session import WandbError


def publish_report(report: wr.Report) -> str:
    """Save a report and return its address.

    A report of ours with the same title in the project is updated, whichever machine made it;
    its comments stay. Raises WandbError when the server refuses.
    """
    place = f"{report.entity}/{report.project}"
    try:
        found = _find(report)
        if found is not None:
            earlier = wr.Report.from_url(found)
            earlier.description, earlier.width = report.description, report.width
            earlier.blocks = report.blocks
            report = earlier
        report.save()
    # The server's refusals have no base class that is public.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise WandbError(f"{place}: the report could not be saved: {reason}") from error
    return str(report.url)


def _find(report: wr.Report) -> str | None:
    """Address of the report to update, if there is one."""
    api = wandb.Api()
    names = [project.name for project in api.projects(report.entity)]
    if report.project not in names:
        return None
    for candidate in api.reports(f"{report.entity}/{report.project}"):
        ours = (candidate.description or "").startswith(MARK)
        if ours and candidate.display_name == report.title:
            return str(candidate.url)
    return None
