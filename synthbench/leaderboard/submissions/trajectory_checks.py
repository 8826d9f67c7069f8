"""Whether the trajectories of one cell obey its protocol, and its record follows from them."""

from __future__ import annotations

from math import isclose, isfinite
from typing import Any

import numpy as np

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.differences import first_difference
from synthbench.leaderboard.submissions.expected import ExpectedCell
from synthbench.leaderboard.submissions.texts import LARGEST_VALUE, check_values, shortened
from synthbench.metrics.ranked_by import progress_of
from synthbench.metrics.score_names import base_name, set_name
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import first_held, met_by_replica, times_to_target
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.records.schema import Record

TOLERANCE = 1e-9
"""Relative: what follows from the trajectories is computed here as it was there."""


@np.errstate(all="ignore")
def check_trajectories(trajectories: Trajectories, record: Record, expected: ExpectedCell) -> None:
    """Raise SubmissionError unless the trajectories obey the protocol and give the record."""
    protocol = expected.protocol
    _check_columns(trajectories, record, expected)
    if expected.lead is not None and expected.lead not in trajectories.probes:
        raise SubmissionError(f"trajectories lack the column {expected.lead}")
    _check_index(trajectories, record, protocol)
    _check_values(trajectories, record)
    _check_progress(trajectories, record)
    _check_outcomes(trajectories, record, protocol)
    _check_summary(trajectories, record)


def _check_columns(trajectories: Trajectories, record: Record, expected: ExpectedCell) -> None:
    found = trajectories.table.column_names
    check_values(found, "trajectories: a column's name")
    own, training = _own_columns(record), expected.training_columns
    probes = set(record.probes)
    rest = [name for name in found if name.partition("/")[0] not in probes]
    begins = found[: len(INDEX) + 1] == own[: len(INDEX) + 1]
    if not begins or sorted(rest) != sorted([*own, *training]):
        unknown = [n for n in rest if n not in (*own, *training)]
        reason = f"; {shortened(unknown[0])} is not one" if unknown else ""
        raise SubmissionError(
            f"trajectories must have the columns {', '.join(own)}, the probes' and "
            f"{', '.join(training)}{reason}"
        )
    if {n.partition("/")[0] for n in found if "/" in n} != probes:
        raise SubmissionError(f"trajectories lack a probe: {', '.join(sorted(probes))}")
    levels = record.replicas[0].references["trivial"]
    for name in levels:
        if isinstance(levels[name], list) != (name in trajectories.curves):
            raise SubmissionError(f"trajectories: {name} is a curve there or in the record alone")


def _own_columns(record: Record) -> list[str]:
    """Index, scores, losses and progress on every test set, the ranked score first."""
    scores, ranked = list(record.replicas[0].references["trivial"]), record.summary.score
    others = [name for name in scores if name != ranked]
    sets = [f"@{name}" if name else "" for name in map(set_name, scores)]
    measured = [f"{name}{own}" for own in dict.fromkeys(sets) for name in ("loss", "progress")]
    return [*INDEX, ranked, *others, *measured]


def _check_index(trajectories: Trajectories, record: Record, protocol: Protocol) -> None:
    points = np.array(evaluation_steps(record.steps, protocol.resolution))
    for name in INDEX:
        if trajectories.table[name].null_count:
            raise SubmissionError(f"trajectories: column {name} has gaps")
    replicas = trajectories.column("replica")
    if (np.diff(replicas) < 0).any() or trajectories.replicas() != list(range(protocol.seeds)):
        raise SubmissionError("trajectories: replicas must be 0, 1, ... in order, each once")
    for number, steps in enumerate(trajectories.by_replica("step")):
        if len(steps) > len(points) or (steps != points[: len(steps)]).any():
            raise SubmissionError(
                f"trajectories: replica {number} is not measured at the protocol's points"
            )
    steps = trajectories.column("step")
    for name, factor in (("samples", record.batch_size), ("flops", record.compute.step_flops)):
        if (trajectories.column(name) != steps * factor).any():
            raise SubmissionError(f"trajectories: {name} are not steps times {factor:,}")


def _check_values(trajectories: Trajectories, record: Record) -> None:
    replicas, steps = trajectories.column("replica"), trajectories.column("step")
    never_finite = np.array([r.outcome == "diverged" for r in record.replicas])[replicas]
    excused = never_finite & (steps == 0)
    for name in trajectories.table.column_names[len(INDEX) :]:
        values = trajectories.column(name)
        if (np.abs(values) > LARGEST_VALUE).any():
            raise SubmissionError(f"trajectories: {name} is larger than a float holds")
        # A curve may be undefined at some of its places.
        if "/" in name or values.ndim > 1:
            continue
        undefined = ~np.isfinite(values)
        allowed = excused | (steps == 0) if name == "train_loss" else excused
        if (undefined & ~allowed).any():
            raise SubmissionError(f"trajectories: {name} is not finite in places")


def _check_progress(trajectories: Trajectories, record: Record) -> None:
    claims = [(column, name, name) for column, name in _progress_columns(record).items()]
    if "train_progress" in trajectories.table.column_names:
        # The ranked score on training data, on the scale of the first test set.
        base = base_name(record.summary.score)
        claims.append(("train_progress", f"train_{base}", base))
    for column, name, scaled in claims:
        scores, found = trajectories.by_replica(name), trajectories.by_replica(column)
        for replica, (score, progress, scale) in enumerate(
            zip(scores, found, record.scale(scaled), strict=True)
        ):
            follows = progress_of(score, *scale)
            if not np.allclose(progress, follows, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                raise SubmissionError(
                    f"trajectories: the {column} of replica {replica} does not follow from its "
                    "score and references"
                )


def _progress_columns(record: Record) -> dict[str, str]:
    """Each column of progress, and the score that it is of: the ranked one, each set's first."""
    found: dict[str, str] = {}
    for name in record.replicas[0].references["trivial"]:
        column = f"progress@{set_name(name)}" if set_name(name) else "progress"
        found.setdefault(column, name)
    # Ranked on another test set, `progress` is that of there.
    return {**found, "progress": record.summary.score}


def _check_outcomes(trajectories: Trajectories, record: Record, protocol: Protocol) -> None:
    target = record.target
    reached = times_to_target(trajectories, target)
    last = evaluation_steps(record.steps, protocol.resolution)[-1]
    spent = 0
    for replica, steps, met in zip(
        record.replicas,
        trajectories.by_replica("step"),
        met_by_replica(trajectories, target),
        strict=True,
    ):
        number, spent = replica.replica, spent + int(steps[-1])
        solved = bool(reached.solved[number])
        if (replica.outcome == "solved") != solved:
            raise SubmissionError(
                f'replica {number} is recorded as "{replica.outcome}", its trajectory says '
                f"{'solved' if solved else 'not solved'}"
            )
        time = int(reached.times[number]) if solved else None
        if replica.samples_to_target != time:
            raise SubmissionError(
                f"samples_to_target of replica {number} is {replica.samples_to_target}, its "
                f"trajectory says {time}"
            )
        if solved and protocol.until == "solved":
            first = first_held(met, protocol.hold)
            ends_right = first is not None and len(steps) == first + protocol.hold
        else:
            ends_right = replica.outcome == "diverged" or int(steps[-1]) == last
        if not ends_right:
            raise SubmissionError(f"the trajectory of replica {number} ends at the wrong point")
    if spent != record.compute.replica_steps:
        raise SubmissionError(
            f"replica_steps is {record.compute.replica_steps}, the trajectories have {spent}"
        )


def _check_summary(trajectories: Trajectories, record: Record) -> None:
    recomputed = summarize(
        trajectories,
        record.target,
        batch_size=record.batch_size,
        step_flops=record.compute.step_flops,
        diverged=sum(replica.outcome == "diverged" for replica in record.replicas),
    )
    found, expected = record.summary.model_dump(), recomputed.model_dump()
    for key, value in expected.items():
        if not _same(found[key], value):
            where, is_, should = first_difference(found[key], value, f"summary.{key}")
            raise SubmissionError(f"{where} is {is_}, the trajectories give {should}")


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(_same(found[key], value) for key, value in expected.items())
    if isinstance(expected, float) and isinstance(found, float) and isfinite(expected):
        return isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(found == expected)
