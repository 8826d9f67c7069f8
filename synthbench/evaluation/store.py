"""The finished cells in the folder of an evaluation, by what of them may serve another plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from synthbench.evaluation.kept_weights import KeptWeights
from synthbench.plan.cell import Cell
from synthbench.plan.growth import Plan, configuration_hash, holds, replica_hash
from synthbench.records.reading import RECORD_FILE, WEIGHTS_FILE


@dataclass(frozen=True)
class StoredCell:
    """A record's plan and where it lies; the rest of it is not looked at, and may be damaged."""

    folder: Path
    plan: Plan
    files: tuple[str, ...] = ()

    def serves(self, cell: Cell, kept: KeptWeights) -> bool:
        """Whether a cell of the same configuration is a part of what is here, as far as files say.

        kept: weights that have to be there. Those of a smaller budget are others.
        """
        plan = cell.plan()
        if not kept.last or not holds(self.plan, plan):
            return holds(self.plan, plan)
        same_budget = self.plan["protocol"]["budget"] == plan["protocol"]["budget"]
        return WEIGHTS_FILE in self.files and same_budget and not kept.steps


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

    def home(self, cell: Cell, name: str, kept: KeptWeights, resume: bool = True) -> Path:
        """The folder of a cell: where its configuration lies already, or one of that name.

        One that is neither more nor less than what lies there, with more replicas and a smaller
        budget, gets a folder beside it; so does a smaller one that is trained again, lest it takes
        the place of a larger. name: of a new folder. kept: weights that have to be there.
        """
        plan = cell.plan()
        lying = self._by_configuration.get(configuration_hash(plan), [])
        same = [stored for stored in lying if stored.plan == plan]
        larger = [stored for stored in lying if resume and stored.serves(cell, kept)]
        smaller = [stored for stored in lying if holds(plan, stored.plan)]
        for fitting in (same, larger, smaller):
            if fitting:
                return fitting[0].folder
        taken = any(stored.folder.name == name for stored in lying)
        return self.out / (f"{name}-{cell.plan_hash()[:8]}" if taken else name)

    def looked_at_as_often(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells with the evaluations of what lies there, where that has all that they ask for.

        These may lie closer together than they ask, never farther apart. Two cells stay two.
        """
        taken, found = {cell.plan_hash() for cell in cells}, []
        for cell in cells:
            finer = self._looked_at_as_often(cell)
            if (name := finer.plan_hash()) not in taken:
                taken.add(name)
                cell = finer
            found.append(cell)
        return found

    def _looked_at_as_often(self, cell: Cell) -> Cell:
        plan = cell.plan()
        for stored in self._by_configuration.get(configuration_hash(plan), []):
            if holds(stored.plan, plan):
                finer = {"resolution": stored.plan["protocol"]["resolution"]}
                return replace(cell, protocol=cell.protocol.model_copy(update=finer))
        return cell

    def relatives(self, cell: Cell) -> list[StoredCell]:
        """Cells whose replicas have, at the steps at which they were looked at, the same scores.

        Those with the largest budget first.
        """
        found = self._by_replica.get(replica_hash(cell.plan()), [])
        return sorted(found, key=lambda stored: -stored.plan["protocol"]["budget"])

    @cached_property
    def _by_configuration(self) -> dict[str, list[StoredCell]]:
        return _grouped(self.cells, configuration_hash)

    @cached_property
    def _by_replica(self) -> dict[str, list[StoredCell]]:
        return _grouped(self.cells, replica_hash)


def _grouped(
    cells: Iterable[StoredCell], key: Callable[[Plan], str]
) -> dict[str, list[StoredCell]]:
    """The cells by a hash of their plans."""
    found: dict[str, list[StoredCell]] = {}
    for stored in cells:
        found.setdefault(key(stored.plan), []).append(stored)
    return found


def _stored(path: Path) -> StoredCell | None:
    """None for what is no record; what is wrong with one is said where it is asked for."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        plan = content["plan"]
        stored = StoredCell(path.parent, plan, tuple(content["files"]))
        _ = replica_hash(plan), configuration_hash(plan)
        # Not with NaN, or words, for numbers.
        whole = holds(plan, plan)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return stored if whole else None
