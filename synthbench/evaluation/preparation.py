"""What has to be right before the first cell trains, and what is found out on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from synthbench.engine.inspection.advice import model_advice
from synthbench.engine.inspection.cell import CellFacts, inspect_cell
from synthbench.engine.inspection.inherited import check_inherited
from synthbench.engine.training.device import find_device
from synthbench.errors import ConfigurationError, ModelError
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights, wanted_weights
from synthbench.evaluation.likeness import likenesses
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.standing import needed_weights, with_sources
from synthbench.evaluation.store import Store
from synthbench.plan.cell import Cell
from synthbench.plan.growth import replica_hash
from synthbench.plan.source_checks import check_sources
from synthbench.registry.bare_model import BareModel
from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.participants import unregistered
from synthbench.registry.registry import installed


@dataclass(frozen=True)
class PreparedCell:
    """A cell that may be trained.

    likeness: equal for cells that may train in one stack. asked: whether it was asked for, or
    others stand on it. kept: the weights that have to be there in the end. folder: where it goes.
    relatives: folders of cells whose replicas may be replicas of this one.
    """

    cell: Cell
    facts: CellFacts
    likeness: str
    asked: bool
    kept: KeptWeights
    folder: Path
    relatives: tuple[Path, ...]


def prepare(
    cells: Sequence[Cell], store: Store, settings: Settings, device: torch.device | None = None
) -> tuple[list[PreparedCell], torch.device]:
    """The cells and those that they stand on, in the order in which they run, and the device.

    store: what lies in the folder into which they go. device: that of workers elsewhere; the one
    of this machine is found here. Writes nothing. Raises a SynthbenchError for anything that
    would stop the evaluation later.
    """
    hashes = [cell.plan_hash() for cell in cells]
    if len(set(hashes)) < len(hashes):
        raise ConfigurationError("the same task and model are planned twice; name each once")
    device = device or find_device(settings.trainer.accelerator)
    for tracker in settings.trackers:
        installed().tracker(tracker).check()
    planned = with_sources(cells)
    alike = likenesses(planned)
    facts = _inspect_all(planned, alike)
    needed = needed_weights(planned)
    kept = []
    for cell in planned:
        name = cell.plan_hash()
        keep = settings.keep_weights if name in hashes else False
        kept.append(wanted_weights(keep, cell) | needed.get(name, NO_WEIGHTS))
    folders = _folders(planned, kept, store, settings.resume)
    relatives = _relatives(planned, folders, store)
    prepared = [
        PreparedCell(
            cell,
            facts[place],
            alike[place],
            cell.plan_hash() in hashes,
            kept[place],
            folders[place],
            relatives[place],
        )
        for place, cell in enumerate(planned)
    ]
    return prepared, device


def _inspect_all(cells: Sequence[Cell], alike: Sequence[str]) -> list[CellFacts]:
    """What is found out about every cell; where several are refused, the error names them all.

    alike: equal for cells that may train in one stack.
    """
    facts, refused = [], dict[str, ConfigurationError]()
    known: dict[tuple[str, str], CellFacts] = {}
    for cell, like in zip(cells, alike, strict=True):
        kind = like, cell.task.label()
        try:
            known[kind] = _inspect(cell, known.get(kind))
            facts.append(known[kind])
        except ConfigurationError as error:
            # Cells of one task and several models are refused for one reason.
            refused.setdefault(str(error), error)
    if len(refused) == 1:
        raise next(iter(refused.values()))
    if refused:
        reasons = "\n  ".join(refused)
        raise ConfigurationError(f"nothing is trained, for {len(refused)} reasons:\n  {reasons}")
    return facts


def _inspect(cell: Cell, known: CellFacts | None) -> CellFacts:
    """known: of a cell that is alike, whose network need not be tried again."""
    check_sources(cell)
    if known is not None:
        cell.check()
        return known
    try:
        facts = inspect_cell(cell)
    except ModelError as error:
        advice = model_advice(cell)
        if not advice:
            raise
        raise ModelError(f"{error}{advice}") from error
    check_inherited(cell)
    return facts


def _folders(
    cells: Sequence[Cell], kept: Sequence[KeptWeights], store: Store, resume: bool
) -> list[Path]:
    """Where each cell goes; two never share a folder, though one may be the other grown."""
    taken, folders = set[Path](), list[Path]()
    for cell, weights in zip(cells, kept, strict=True):
        own = _own_code(cell)
        folder = store.out / own if own else store.home(cell, cell.folder_name(), weights, resume)
        if folder in taken:
            folder = folder.with_name(f"{cell.folder_name()}-{cell.plan_hash()[:8]}")
        taken.add(folder)
        folders.append(folder)
    return folders


def _relatives(
    cells: Sequence[Cell], folders: Sequence[Path], store: Store
) -> list[tuple[Path, ...]]:
    """Where replicas may lie that each cell has too: in the store, or once others are finished."""
    planned: dict[str, list[Path]] = {}
    kinds = [replica_hash(cell.plan()) for cell in cells]
    for kind, folder in zip(kinds, folders, strict=True):
        planned.setdefault(kind, []).append(folder)
    return [
        tuple(dict.fromkeys([*(s.folder for s in store.relatives(cell)), *planned[kind]]))
        for cell, kind in zip(cells, kinds, strict=True)
    ]


def _own_code(cell: Cell) -> str | None:
    """The folder's name where no plugin's version stands for the code of a class.

    So an edited class of a notebook takes a folder of its own, and what the earlier one left
    stays as it was. (The plan of a bare module holds its code already.) None where plugins stand
    for all of it.
    """
    classes = [type(config) for config in unregistered(cell)]
    if not classes:
        return None
    written = tuple(cls for cls in classes if not issubclass(cls, BareModel))
    code = [code_fingerprint(written)[:8]] if written else []
    return "-".join([cell.folder_name(), cell.plan_hash()[:8], *code])
