"""A finished cell as if it had had fewer replicas, or a smaller budget."""

from __future__ import annotations

from typing import Any

from synthbench.hashing import content_hash
from synthbench.metrics.cell_context import independent_replicas
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.schedule import evaluation_steps
from synthbench.records.schema import Compute, Record, ReplicaRecord, earlier_below
from synthbench.results.measured_cell import MeasuredCell


def narrowed(cell: MeasuredCell, seeds: int, budget: int) -> MeasuredCell:
    """The first replicas of a cell within a budget, with a record of these alone.

    seeds, budget: no more than the cell has; the same cell where both are equal. What was
    evaluated after the budget does not count, and a replica that has not solved the task by then
    is censored there. The files in the folder hold more.
    """
    record = cell.record
    if (seeds, budget) == (len(record.replicas), record.budget):
        return cell
    protocol = {**record.protocol, "seeds": seeds, "budget": budget}
    plan = {**record.plan, "protocol": protocol}
    smaller = record.model_copy(
        update={"plan": plan, "plan_hash": content_hash(plan), "replicas": record.replicas[:seeds]}
    )
    trajectories = cell.trajectories.first(seeds).until(budget)
    reached = times_to_target(trajectories, smaller.target)
    replicas = _replicas(record, smaller, trajectories, reached)
    return MeasuredCell(
        smaller.model_copy(
            update={
                "replicas": replicas,
                "compute": _compute(record, trajectories),
                "earlier": earlier_below(seeds, record.earlier),
                "summary": summarize(
                    trajectories,
                    smaller.target,
                    batch_size=record.batch_size,
                    step_flops=record.compute.step_flops,
                    diverged=sum(replica.outcome == "diverged" for replica in replicas),
                    independent=independent_replicas(seeds, protocol.get("initializations")),
                ),
            }
        ),
        cell.folder,
    )


def _replicas(
    record: Record, smaller: Record, trajectories: Trajectories, reached: TimesToTarget
) -> tuple[ReplicaRecord, ...]:
    looked_at = evaluation_steps(record.steps, record.protocol["resolution"])
    lasts = [int(steps[-1]) for steps in trajectories.by_replica("step")]
    found = []
    for row, replica in enumerate(smaller.replicas):
        changes: dict[str, Any] = {"outcome": "censored", "samples_to_target": None}
        if reached.solved[row]:
            changes = {"outcome": "solved", "samples_to_target": int(reached.times[row])}
        elif replica.outcome == "diverged":
            # It is seen to have diverged at the evaluation after its last.
            seen = next(step for step in looked_at if step > lasts[row])
            changes["outcome"] = "diverged" if seen <= smaller.steps else "censored"
        found.append(replica.model_copy(update=changes))
    return tuple(found)


def _compute(record: Record, trajectories: Trajectories) -> Compute:
    """The share of the training; of its time that of the steps."""
    steps = trajectories.replica_steps
    seconds = round(record.compute.seconds_of(steps), 3)
    return record.compute.model_copy(update={"replica_steps": steps, "wall_seconds": seconds})
