"""How much of an evaluation earlier ones have left finished."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.errors import SynthbenchError
from synthbench.evaluation.machine import Machine
from synthbench.evaluation.preparation import PreparedCell
from synthbench.evaluation.resumption import Resumption
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.standing import foundation_of
from synthbench.listeners.listener import Silent
from synthbench.results.measured_cell import MeasuredCell


def finished_replicas(
    prepared: Sequence[PreparedCell], machine: Machine, settings: Settings, going_on: bool = False
) -> list[int]:
    """How many replicas of each cell would not be trained again. Only reads.

    None of a cell that stands on one that has yet to be trained. Raises a SynthbenchError for a
    folder that cannot be used; going_on: it counts as none, and is named when it is opened.
    """
    measured: dict[str, MeasuredCell] = {}
    counts = []
    for each in prepared:
        try:
            counts.append(_finished_replicas(each, machine, settings, measured))
        except SynthbenchError:
            if not going_on:
                raise
            counts.append(0)
    return counts


def reuse_note(prepared: Sequence[PreparedCell], finished: Sequence[int]) -> str | None:
    """How many replicas lie there and how many are trained; None where there is but one kind."""
    wanted, kept = sum(each.cell.protocol.seeds for each in prepared), sum(finished)
    if kept in (0, wanted):
        return None
    whole = sum(n == each.cell.protocol.seeds for n, each in zip(finished, prepared, strict=True))
    cells = f", {whole} of {len(prepared)} cells whole" if whole else ""
    return f"{kept:,} of {wanted:,} replicas are kept{cells}; training the other {wanted - kept:,}"


def _finished_replicas(
    prepared: PreparedCell,
    machine: Machine,
    settings: Settings,
    measured: dict[str, MeasuredCell],
) -> int:
    """Of one cell; measured: the finished ones before it, by plan hash, to which it is added."""
    cell, folder = prepared.cell, prepared.folder
    below = [s.cell.plan_hash() for s in cell.sources().values() if s.folder is None]
    if not (folder.exists() or prepared.relatives) or not all(name in measured for name in below):
        return 0
    hashes = foundation_of(cell, measured).hashes
    found = Resumption(cell, folder, settings, Silent(), prepared.kept, hashes, prepared.relatives)
    found = found.keeping_what_was_kept()
    record = found.finished_record()
    if record is None:
        return found.unfinished_replicas(machine.described((), cell.task.libraries))
    measured[cell.plan_hash()] = MeasuredCell(record, folder)
    return cell.protocol.seeds
