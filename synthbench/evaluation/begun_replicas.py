"""Replicas whose budget ended before they had solved the task, from which a larger one goes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from synthbench.engine.training.training_state import Continuation, TrainingState
from synthbench.errors import RecordError
from synthbench.evaluation.record_writing import target_of
from synthbench.evaluation.same_seeds import numbers_by_row
from synthbench.evaluation.state_files import read_state, state_bytes
from synthbench.metrics.time_to_target import met_by_replica
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.records import Record
from synthbench.records.reading import STATE_FILE, TRAJECTORIES_FILE

COLUMN, MET = "column/", "met"


@dataclass(frozen=True)
class BegunReplicas:
    """Replicas of one cell that stand at one step, by their numbers in it."""

    continuation: Continuation

    @property
    def numbers(self) -> tuple[int, ...]:
        """In the order of the continuation's rows."""
        return self.continuation.state.replicas

    @property
    def step(self) -> int:
        """Optimizer steps that are done."""
        return self.continuation.state.step

    def as_bytes(self) -> bytes:
        """For a file; read back by `read_begun`."""
        own = self.continuation
        measured = {COLUMN + name: torch.from_numpy(v) for name, v in own.columns.items()}
        measured[MET] = torch.from_numpy(own.met)
        # Tensors lie in a file in an order of their own.
        facts = {"seconds": own.seconds, "columns": list(own.columns)}
        return state_bytes(own.state, measured, facts)


def read_begun(content: bytes) -> BegunReplicas:
    """What `BegunReplicas.as_bytes` gave; raises what `read_state` does for other bytes."""
    state, facts = read_state(content)
    tensors = dict(state.tensors)
    met = tensors.pop(MET).numpy()
    columns = {name: tensors.pop(COLUMN + name).numpy() for name in facts["columns"]}
    own = replace(state, tensors=tensors)
    return BegunReplicas(Continuation(own, columns, met, float(facts["seconds"])))


def begun_replicas(
    cell: Cell, wanted: Collection[int], record: Record, folder: Path
) -> BegunReplicas | None:
    """Those of a record that go on under the plan of a cell, as if they had not stopped.

    wanted: numbers in the cell of the replicas that are looked for. None where there are none, or
    where they stand is not kept. The record is one of `Store.relatives`, of a smaller budget.
    """
    if STATE_FILE not in record.files or record.steps >= cell.steps:
        return None
    if record.protocol["resolution"] != cell.protocol.resolution:
        return None
    try:
        state, _ = read_state((folder / STATE_FILE).read_bytes())
        trajectories = Trajectories.read(folder / TRAJECTORIES_FILE)
    except (OSError, SafetensorError, RecordError, KeyError, ValueError):
        return None
    numbers = numbers_by_row(cell, wanted, record)
    found = sorted(
        (numbers[row], place, row) for place, row in enumerate(state.replicas) if row in numbers
    )
    if not found:
        return None
    own = state.rows([place for _, place, _ in found], [number for number, _, _ in found])
    rows = [row for _, _, row in found]
    return BegunReplicas(_continuation(cell, own, rows, record, trajectories))


def _continuation(
    cell: Cell,
    state: TrainingState,
    rows: Sequence[int],
    record: Record,
    trajectories: Trajectories,
) -> Continuation:
    """With what the replicas in some rows of a record measured where the cell's plan looks too."""
    points = set(evaluation_steps(cell.steps, cell.protocol.resolution))
    steps = trajectories.by_replica("step")[rows[0]]
    common = [place for place, step in enumerate(steps) if int(step) in points]
    names = [name for name in trajectories.table.column_names if name not in INDEX]
    columns = {}
    for name in names:
        values = trajectories.by_replica(name)
        columns[name] = np.stack([values[row][common] for row in rows], axis=1)
    references = [dict(replica.references) for replica in record.replicas]
    met = met_by_replica(trajectories, target_of(cell, trajectories.ranked, references))
    return Continuation(
        state,
        columns,
        np.stack([met[row][common] for row in rows], axis=1),
        record.compute.seconds_of(len(rows) * record.steps),
    )
