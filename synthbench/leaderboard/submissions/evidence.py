"""What stands behind each thing that a board shows: a computation, a rerun, or a word.

The one list of it, complete over the fields of a submission's files. What is a claim here, pages
and tables label "as submitted".
"""

from __future__ import annotations

from enum import StrEnum

AS_SUBMITTED = "as submitted"
"""The label of what nothing can recompute."""


class Evidence(StrEnum):
    """Which check a value goes through before or after it is shown."""

    BUILD = "build"
    """Computed again, or compared with the suite, whenever a board is read."""
    RERUN = "rerun"
    """Computed again by `synthbench leaderboard verify`, for the replicas that it trains."""
    CLAIM = "claim"
    """Computed by nothing: the submitter's word."""


SHOWN: dict[str, Evidence] = {
    # submission.json
    "submission.schema_version": Evidence.BUILD,
    "submission.name": Evidence.BUILD,
    "submission.title": Evidence.CLAIM,
    "submission.authors": Evidence.CLAIM,
    "submission.description": Evidence.CLAIM,
    "submission.link": Evidence.CLAIM,
    "submission.suite": Evidence.BUILD,
    "submission.track": Evidence.BUILD,
    "submission.trials": Evidence.CLAIM,
    "submission.created": Evidence.CLAIM,
    "submission.records": Evidence.BUILD,
    # record.json of each cell
    "record.schema_version": Evidence.BUILD,
    "record.plan": Evidence.RERUN,
    "record.plan_hash": Evidence.BUILD,
    "record.content_hash": Evidence.BUILD,
    "record.task": Evidence.BUILD,
    "record.model": Evidence.BUILD,
    "record.suite": Evidence.BUILD,
    "record.created": Evidence.CLAIM,
    "record.summary": Evidence.BUILD,
    "record.files": Evidence.BUILD,
    "record.sources": Evidence.BUILD,
    "record.earlier": Evidence.BUILD,
    "replica.replica": Evidence.BUILD,
    "replica.seeds": Evidence.BUILD,
    "replica.data": Evidence.RERUN,
    "replica.outcome": Evidence.BUILD,
    "replica.samples_to_target": Evidence.BUILD,
    "replica.references": Evidence.RERUN,
    "compute.parameters": Evidence.RERUN,
    "compute.step_flops": Evidence.RERUN,
    "compute.replicas_per_block": Evidence.CLAIM,
    "compute.looped": Evidence.CLAIM,
    "compute.way": Evidence.CLAIM,
    "compute.executor": Evidence.CLAIM,
    "compute.cuda_graphs": Evidence.CLAIM,
    "compute.replica_steps": Evidence.BUILD,
    "compute.wall_seconds": Evidence.CLAIM,
    "compute.batch_size": Evidence.BUILD,
    "compute.state_size": Evidence.RERUN,
    "environment.synthbench": Evidence.CLAIM,
    "environment.python": Evidence.CLAIM,
    "environment.torch": Evidence.CLAIM,
    "environment.pytorch_lightning": Evidence.CLAIM,
    "environment.platform": Evidence.CLAIM,
    "environment.device": Evidence.CLAIM,
    "environment.device_name": Evidence.CLAIM,
    "environment.libraries": Evidence.CLAIM,
    "environment.threads": Evidence.CLAIM,
    "environment.torch_settings": Evidence.CLAIM,
    "environment.tf32": Evidence.CLAIM,
    "environment.plugins": Evidence.CLAIM,
    # trajectories.parquet of each cell
    "trajectories.index": Evidence.BUILD,
    "trajectories.progress": Evidence.BUILD,
    "trajectories.score": Evidence.RERUN,
    "trajectories.loss": Evidence.RERUN,
    "trajectories.train_loss": Evidence.RERUN,
    "trajectories.probe": Evidence.RERUN,
}
"""Every field of a submission's files, and every kind of column, with the check it goes through.

"record.plan": what the suite prescribes is compared by a build; that the recorded model is what
was trained shows in a rerun alone. A value that a build computes from others is as good as they
are: outcomes, times and summaries follow from scores, which a rerun checks.
"""


def evidence_of(name: str) -> Evidence:
    """The check behind a field such as `compute.wall_seconds`; KeyError for one that is not known.

    A column of a trajectory is `trajectories.COLUMN`, whichever probe or test set it is of.
    """
    if not name.startswith("trajectories."):
        return SHOWN[name]
    column = name.partition(".")[2]
    if "/" in column:
        return SHOWN["trajectories.probe"]
    base = column.partition("@")[0]
    if base in ("replica", "step", "samples", "flops"):
        return SHOWN["trajectories.index"]
    if base in ("progress", "train_progress"):
        return SHOWN["trajectories.progress"]
    return SHOWN.get(f"trajectories.{base}", SHOWN["trajectories.score"])


def label_of(name: str) -> str:
    """`as submitted` for what is the submitter's word, else empty."""
    return AS_SUBMITTED if evidence_of(name) is Evidence.CLAIM else ""


def claims() -> list[str]:
    """The fields that are the submitter's word, in the order of the files."""
    return [name for name, evidence in SHOWN.items() if evidence is Evidence.CLAIM]
