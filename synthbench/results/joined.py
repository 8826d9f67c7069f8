"""Finished cells of one configuration whose seeds follow one another, as one cell."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from synthbench.hashing import content_hash
from synthbench.metrics.arrow_columns import arrow_column
from synthbench.metrics.summary import summarize
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.content import parquet_bytes
from synthbench.records.reading import CHECKPOINTS_FILE, TRAJECTORIES_FILE, WEIGHTS_FILE
from synthbench.records.schema import Compute, EarlierReplicas, Environment, Record
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class JoinedCell:
    """A record that is in no folder yet, and the bytes of its data files by name."""

    record: Record
    files: dict[str, bytes]


@dataclass(frozen=True)
class Portion:
    """The replicas start, ..., stop - 1 of a finished cell."""

    cell: MeasuredCell
    start: int
    stop: int

    @cached_property
    def trajectories(self) -> Trajectories:
        """What they measured, numbered as in the cell."""
        return self.cell.trajectories.select(range(self.start, self.stop))


def joined(portions: Sequence[Portion]) -> JoinedCell:
    """The replicas of all portions, in their order, as if they had been trained together.

    The portions are of one configuration and budget, and their seeds follow one another.
    Environment and time are those of the newest; replicas of another environment are named.
    """
    newest = max((portion.cell.record for portion in portions), key=lambda record: record.created)
    first = portions[0]
    count = sum(portion.stop - portion.start for portion in portions)
    first_seed = first.cell.record.protocol["first_seed"] + first.start
    protocol = {**newest.protocol, "seeds": count, "first_seed": first_seed}
    plan = {**newest.plan, "protocol": protocol}
    files, trajectories = _files(portions)
    replicas = [r for each in portions for r in each.cell.record.replicas[each.start : each.stop]]
    numbered = [r.model_copy(update={"replica": number}) for number, r in enumerate(replicas)]
    record = newest.model_copy(
        update={
            "plan": plan,
            "plan_hash": content_hash(plan),
            "replicas": tuple(numbered),
            "compute": _compute(newest, portions, trajectories),
            "earlier": _earlier(newest.environment, portions),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
    )
    summary = summarize(
        trajectories,
        record.target,
        batch_size=record.batch_size,
        step_flops=record.compute.step_flops,
        diverged=sum(replica.outcome == "diverged" for replica in numbered),
    )
    return JoinedCell(record.model_copy(update={"summary": summary}), files)


def _files(portions: Sequence[Portion]) -> tuple[dict[str, bytes], Trajectories]:
    """Trajectories, and the weights that all portions have."""
    tables, number = [], 0
    for portion in portions:
        own = portion.trajectories.table
        moved = arrow_column(own["replica"].to_numpy() - portion.start + number)
        place = own.schema.get_field_index("replica")
        tables.append(own.set_column(place, "replica", moved))
        number += portion.stop - portion.start
    # Of several releases one may have columns that the other has not.
    shared = [n for n in tables[0].column_names if all(n in each.column_names for each in tables)]
    table = pa.concat_tables([each.select(shared) for each in tables])
    files = {TRAJECTORIES_FILE: parquet_bytes(table)}
    for name in (WEIGHTS_FILE, CHECKPOINTS_FILE):
        if all(name in portion.cell.record.files for portion in portions):
            files |= _weights(name, portions)
    if WEIGHTS_FILE not in files:
        files.pop(CHECKPOINTS_FILE, None)
    return files, Trajectories(table)


def _weights(name: str, portions: Sequence[Portion]) -> dict[str, bytes]:
    """The rows of all portions of what each of their files has; nothing where that is nothing."""
    import torch
    from safetensors.torch import load_file, save

    states: list[dict[str, Tensor]] = [load_file(each.cell.folder / name) for each in portions]
    shared = set.intersection(*(set(state) for state in states))
    if not shared:
        return {}
    rows = {
        key: torch.cat(
            [s[key][p.start : p.stop] for s, p in zip(states, portions, strict=True)]
        ).contiguous()
        for key in sorted(shared)
    }
    return {name: save(rows)}


def _compute(newest: Record, portions: Sequence[Portion], trajectories: Trajectories) -> Compute:
    seconds = sum(
        portion.cell.record.compute.seconds_of(portion.trajectories.replica_steps)
        for portion in portions
    )
    changes = {"replica_steps": trajectories.replica_steps, "wall_seconds": round(seconds, 3)}
    return newest.compute.model_copy(update=changes)


def _earlier(newest: Environment, portions: Sequence[Portion]) -> tuple[EarlierReplicas, ...]:
    """The replicas of all portions that were trained elsewhere than the newest."""
    found: list[EarlierReplicas] = []
    number = 0
    for portion in portions:
        moved = {row: row - portion.start + number for row in range(portion.start, portion.stop)}
        found += portion.cell.record.trained_elsewhere(newest, moved)
        number += portion.stop - portion.start
    return tuple(found)
