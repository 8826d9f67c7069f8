"""The finished cells in the folder of an evaluation, by what of them may serve another plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from synthbench.plan.cell import Cell
from synthbench.plan.growth import configuration_hash, replica_hash
from synthbench.records.reading import RECORD_FILE


@dataclass(frozen=True)
class StoredCell:
    """A record's plan and where it lies; the rest of it is not looked at, and may be damaged."""

    folder: Path
    plan: Mapping[str, Any]

    @property
    def seeds(self) -> int:
        """Number of replicas."""
        return int(self.plan["protocol"]["seeds"])

    @property
    def budget(self) -> int:
        """Training samples per replica."""
        return int(self.plan["protocol"]["budget"])

    def grows_to(self, cell: Cell) -> bool:
        """Whether a plan of the same configuration asks for all that is here, or more."""
        protocol = cell.protocol
        return self.seeds <= protocol.seeds and self.budget <= protocol.budget

    def holds(self, cell: Cell) -> bool:
        """Whether all that a plan of the same configuration asks for is here."""
        protocol = cell.protocol
        return self.seeds >= protocol.seeds and self.budget >= protocol.budget


@dataclass(frozen=True)
class Store:
    """What lies finished in the folder of an evaluation."""

    out: Path
    cells: tuple[StoredCell, ...]

    @classmethod
    def read(cls, out: Path) -> Store:
        """Look through a folder, which need not exist."""
        found = (_stored(path) for path in sorted(out.glob(f"*/{RECORD_FILE}")))
        return cls(out, tuple(cell for cell in found if cell is not None))

    def home(self, cell: Cell, name: str) -> Path:
        """The folder of a cell: where its configuration lies already, or one of that name.

        One that is neither more nor less than what lies there, with more replicas and a smaller
        budget, gets a folder beside it. name: of a new folder.
        """
        lying = self._by_configuration.get(configuration_hash(cell.plan()), [])
        same = [stored for stored in lying if stored.plan == cell.plan()]
        larger = [stored for stored in lying if stored.holds(cell)]
        smaller = [stored for stored in lying if stored.grows_to(cell)]
        for fitting in (same, larger, smaller):
            if fitting:
                return fitting[0].folder
        taken = any(stored.folder.name == name for stored in lying)
        return self.out / (f"{name}-{cell.plan_hash()[:8]}" if taken else name)

    def relatives(self, cell: Cell) -> list[StoredCell]:
        """Cells whose replicas have, at the steps at which they were looked at, the same scores.

        Those with the largest budget first.
        """
        found = self._by_replica.get(replica_hash(cell.plan()), [])
        return sorted(found, key=lambda stored: -stored.budget)

    def outgrown(self, cell: Cell) -> list[StoredCell]:
        """Cells of the same configuration that hold no more than this one."""
        lying = self._by_configuration.get(configuration_hash(cell.plan()), [])
        return [stored for stored in lying if stored.grows_to(cell)]

    @cached_property
    def _by_configuration(self) -> dict[str, list[StoredCell]]:
        found: dict[str, list[StoredCell]] = {}
        for stored in self.cells:
            found.setdefault(configuration_hash(stored.plan), []).append(stored)
        return found

    @cached_property
    def _by_replica(self) -> dict[str, list[StoredCell]]:
        found: dict[str, list[StoredCell]] = {}
        for stored in self.cells:
            found.setdefault(replica_hash(stored.plan), []).append(stored)
        return found


def _stored(path: Path) -> StoredCell | None:
    """None for what is no record; what is wrong with one is said where it is asked for."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))["plan"]
        stored = StoredCell(path.parent, plan)
        _ = stored.seeds, stored.budget, replica_hash(plan), configuration_hash(plan)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return stored
