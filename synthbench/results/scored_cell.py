"""A finished cell seen by another of its scores than the one that was ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import UnknownNameError, did_you_mean
from synthbench.metrics.cell_context import CellContext, independent_replicas
from synthbench.metrics.ranked_by import ranked_by
from synthbench.metrics.summary import summarize_times
from synthbench.metrics.time_to_target import times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell, context_of


@dataclass(frozen=True)
class ScoredCell(MeasuredCell):
    """The cell with another score in the place of the ranked one, and all metrics of that.

    record: with the summary of that score; how its replicas ended stays as they were trained.
    own: the cell by its ranked score.
    """

    own: MeasuredCell

    @cached_property
    def trajectories(self) -> Trajectories:
        """The measurements, that score first and `progress` its own."""
        return _ranked(self.own, self.record.summary.score)

    @property
    def context(self) -> CellContext:
        """As of any cell; a replica that stopped by the ranked score was watched until then."""
        return replace(context_of(self.record), watched=_watched(self.own))

    @property
    def watched(self) -> float:
        """Samples beyond which nothing is known: where the last replica stopped."""
        return float(_watched(self.own).max())


def scored_by(cell: MeasuredCell, score: str) -> MeasuredCell:
    """The cell with all its metrics those of another score, `name` or `name@test-set`.

    Progress is from the recorded references of that score, trivial to ceiling. A replica that
    stopped because it had solved the task by the ranked score is censored at its last evaluation,
    one that diverged at the end of the budget. Raises UnknownNameError for a score that is not
    there or has no progress.
    """
    own = cell.own if isinstance(cell, ScoredCell) else cell
    record = own.record
    _check(record, own.trajectories, score)
    if score == record.summary.score:
        return own
    trajectories, target = _ranked(own, score), _with_score(record, score).target
    summary = summarize_times(
        trajectories,
        times_to_target(trajectories, target, _watched(own)),
        batch_size=record.batch_size,
        step_flops=record.compute.step_flops,
        diverged=record.summary.diverged,
        independent=independent_replicas(
            len(record.replicas), record.protocol.get("initializations")
        ),
    )
    return ScoredCell(record.model_copy(update={"summary": summary}), own.folder, own)


def _with_score(record: Record, score: str) -> Record:
    summary = record.summary.model_copy(update={"score": score})
    return record.model_copy(update={"summary": summary})


def _ranked(own: MeasuredCell, score: str) -> Trajectories:
    return ranked_by(own.trajectories, score, np.array(own.record.scale(score)))


def _watched(own: MeasuredCell) -> NDArray[np.float64]:
    """(R,) samples up to which each replica was watched."""
    last = np.array([samples[-1] for samples in own.trajectories.by_replica("samples")], float)
    stopped = [
        replica.outcome == "solved" and own.record.protocol["until"] == "solved"
        for replica in own.record.replicas
    ]
    return np.where(stopped, last, own.budget)


def _check(record: Record, trajectories: Trajectories, score: str) -> None:
    known = [name for name in record.scores if name in trajectories.measured]
    if score in trajectories.curves:
        reason = f'"{score}" is a curve, and only a number has progress'
    elif score not in known:
        reason = f'no score "{score}" on {record.task}{did_you_mean(score, known)}'
    elif flaw := _flaw(record, score):
        reason = flaw
        known.remove(score)
    else:
        return
    raise UnknownNameError(f"{reason} (scores: {', '.join(known)})")


def _flaw(record: Record, score: str) -> str | None:
    """Why a score has no progress."""
    for replica, levels in zip(record.replicas, record.levels(score), strict=True):
        absent = [name for name in ("trivial", record.ceiling) if name not in levels]
        if absent:
            return f'"{score}" has no progress: {absent[0]} has no such score'
        if levels["trivial"] == levels[record.ceiling]:
            return (
                f'"{score}" has no progress: trivial and {record.ceiling} both score '
                f"{levels['trivial']:g} in replica {replica.replica}"
            )
    return None
