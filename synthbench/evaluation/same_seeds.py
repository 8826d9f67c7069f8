"""Which replicas of a record are replicas of a cell: those of equal seeds."""

from __future__ import annotations

from collections.abc import Collection

from synthbench.plan.cell import Cell
from synthbench.records import Record


def numbers_by_row(cell: Cell, wanted: Collection[int], record: Record) -> dict[int, int]:
    """Row of a record -> number in the cell, of the replicas that are wanted."""
    numbers = {frozenset(vars(own).items()): n for n, own in enumerate(cell.replica_seeds())}
    found = {}
    for row, replica in enumerate(record.replicas):
        number = numbers.get(frozenset(replica.seeds.items()))
        if number is not None and number in wanted:
            found[row] = number
    return found
