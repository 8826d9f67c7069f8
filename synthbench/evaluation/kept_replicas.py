"""Replicas of finished cells that another plan need not train again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult
from synthbench.engine.training.training_state import TrainingState
from synthbench.errors import RecordError
from synthbench.evaluation.kept_weights import KeptWeights, found_weights
from synthbench.evaluation.record_writing import target_of
from synthbench.evaluation.same_seeds import numbers_by_row
from synthbench.evaluation.state_files import read_state
from synthbench.metrics.time_to_target import first_held, met_by_replica
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.records import Record
from synthbench.records.reading import STATE_FILE, TRAJECTORIES_FILE
from synthbench.records.weights import read_weights

SPENDING = ("samples", "flops")
"""Columns of trajectories that follow from the steps."""


class KeptReplica(NamedTuple):
    """A replica that is finished under a plan.

    number: in the plan's cell. row: in the record. steps: of the evaluations that count, its first
    ones. diverged: whether it stopped because of that.
    """

    number: int
    row: int
    steps: list[int]
    diverged: bool


@dataclass(frozen=True)
class KeptReplicas:
    """Replicas of one record that are finished under a plan, as the block they would have made.

    rows: where they are in the record.
    """

    record: Record
    rows: tuple[int, ...]
    block: Block
    result: BlockResult


def kept_replicas(
    cell: Cell, wanted: Collection[int], record: Record, folder: Path, kept: KeptWeights
) -> KeptReplicas | None:
    """Those of a record that the plan of a cell has, with the same numbers as trained anew.

    wanted: numbers in the cell of the replicas that are looked for. kept: the weights that have
    to be there. None where there are none, or the record's files cannot be read. The record is
    one of `Store.relatives`.
    """
    if kept.lacking(found_weights(record, folder)):
        return None
    try:
        trajectories = Trajectories.read(folder / TRAJECTORIES_FILE)
        found = _finished(cell, wanted, record, trajectories)
        if kept.last:
            steps = trajectories.by_replica("step")
            found = [each for each in found if _is_whole(each, record, steps[each.row])]
        if not found:
            return None
        seeds = cell.replica_seeds()
        numbers = tuple(each.number for each in found)
        block = Block(
            numbers[0], tuple(seeds[n] for n in numbers), max(len(found), 2), numbers=numbers
        )
        result = _result(found, record, folder, trajectories, kept)
        result = replace(result, state=_state(cell, found, record, folder))
        return KeptReplicas(record, tuple(each.row for each in found), block, result)
    except (RecordError, OSError, SafetensorError, ValueError, KeyError):
        return None


def _finished(
    cell: Cell, wanted: Collection[int], record: Record, trajectories: Trajectories
) -> list[KeptReplica]:
    """In the order of their numbers in the cell."""
    points = evaluation_steps(cell.steps, cell.protocol.resolution)
    before = evaluation_steps(record.steps, record.protocol["resolution"])
    references = [dict(replica.references) for replica in record.replicas]
    target = target_of(cell, trajectories.ranked, references)
    steps_of, met_of = trajectories.by_replica("step"), met_by_replica(trajectories, target)
    found = []
    for row, number in numbers_by_row(cell, wanted, record).items():
        steps = [int(step) for step in steps_of[row]]
        ended = _ending(cell, steps, met_of[row], points)
        if ended is None and _has_diverged(record, row, steps[-1]):
            ended = _diverged(steps, before, points)
        if ended is not None:
            found.append(KeptReplica(number, row, *ended))
    return sorted(found)


def _ending(
    cell: Cell, steps: list[int], met: NDArray[np.bool_], points: list[int]
) -> tuple[list[int], bool] | None:
    """The evaluations up to which a replica trains under a plan; None where it has to go on.

    steps: at which it was looked at. points: at which the plan looks at it.
    """
    common = _common(steps, points)
    first = first_held(met[: len(common)], cell.protocol.hold)
    if cell.protocol.until == "solved" and first is not None:
        return common[: first + cell.protocol.hold], False
    return (common, False) if len(common) == len(points) else None


def _diverged(
    steps: list[int], before: list[int], points: list[int]
) -> tuple[list[int], bool] | None:
    """The same of a replica that was no longer finite at the evaluation after its last.

    before: at which it was to be looked at.
    """
    common = _common(steps, points)
    seen = [point for point in before if point > steps[-1]]
    looked = [point for point in points if point > common[-1]] if common else []
    if len(common) == len(steps) and seen and looked and looked[0] >= seen[0]:
        return common, True
    return None


def _common(steps: list[int], points: list[int]) -> list[int]:
    """The first evaluations that both have."""
    count = 0
    for step, point in zip(steps, points, strict=False):
        if step != point:
            break
        count += 1
    return steps[:count]


def _has_diverged(record: Record, row: int, last: int) -> bool:
    """Whether a replica stopped because it was no longer finite, also one that had solved before.

    last: the step at which it was looked at last.
    """
    solved = record.protocol["until"] == "solved" and record.replicas[row].outcome == "solved"
    return not solved and last < record.steps


def _is_whole(kept: KeptReplica, record: Record, steps: NDArray[np.float64]) -> bool:
    """Whether it stops where it stopped, so that its last weights are those that are kept.

    steps: at which it was looked at. Of one that diverged after the end of this budget only NaN
    is kept.
    """
    last = int(steps[-1])
    return kept.diverged == _has_diverged(record, kept.row, last) and kept.steps[-1] == last


def _result(
    found: Sequence[KeptReplica],
    record: Record,
    folder: Path,
    trajectories: Trajectories,
    kept: KeptWeights,
) -> BlockResult:
    rows = [each.row for each in found]
    weights = _rows(read_weights(record, folder), rows) if kept.last else {}
    snapshots: dict[str, Tensor] = {}
    for step in kept.steps:
        state = _rows(read_weights(record, folder, step), rows)
        snapshots |= {f"{step}/{name}": tensor for name, tensor in state.items()}
    return BlockResult(
        table=_table(found, trajectories),
        references=[
            {name: dict(scores) for name, scores in record.replicas[row].references.items()}
            for row in rows
        ],
        diverged=[each.diverged for each in found],
        weights=weights,
        seconds=record.compute.seconds_of(sum(each.steps[-1] for each in found)),
        snapshots=snapshots,
        graphs=record.compute.cuda_graphs,
    )


def _state(
    cell: Cell, found: Sequence[KeptReplica], record: Record, folder: Path
) -> TrainingState | None:
    """Where those stand whose budget has ended, if it is the cell's."""
    alike = record.protocol["resolution"] == cell.protocol.resolution
    if STATE_FILE not in record.files or record.steps != cell.steps or not alike:
        return None
    state, _ = read_state((folder / STATE_FILE).read_bytes())
    numbers = {each.row: each.number for each in found if each.steps[-1] == state.step}
    places = [place for place, row in enumerate(state.replicas) if row in numbers]
    return state.rows(places, [numbers[state.replicas[place]] for place in places])


def _table(found: Sequence[KeptReplica], trajectories: Trajectories) -> pa.Table:
    """Their evaluations as a block has them, numbered as in the cell."""
    own = trajectories.table.drop_columns(list(SPENDING))
    starts = np.cumsum([0, *map(len, trajectories.by_replica("step"))])
    places = [starts[each.row] + np.arange(len(each.steps)) for each in found]
    numbers = np.concatenate([np.full(len(each.steps), each.number) for each in found])
    table = own.take(pa.array(np.concatenate(places)))
    return table.set_column(table.schema.get_field_index("replica"), "replica", pa.array(numbers))


def _rows(state: Mapping[str, Tensor], rows: Sequence[int]) -> dict[str, Tensor]:
    chosen = torch.tensor(rows)
    return {name: tensor[chosen] for name, tensor in state.items()}
