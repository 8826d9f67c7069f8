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
    cells: Sequence[Cell], out: Path, settings: Settings, device: torch.device | None = None
) -> tuple[list[PreparedCell], torch.device]:
    """The cells and those that they stand on, in the order in which they run, and the device.

    device: that of workers elsewhere; the one of this machine is found here.
    Writes nothing. Raises a SynthbenchError for anything that would stop the evaluation later.
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
    store = Store.read(out)
    prepared = []
    for cell, like, found in zip(planned, alike, facts, strict=True):
        name = cell.plan_hash()
        keep = settings.keep_weights if name in hashes else False
        kept = wanted_weights(keep, cell) | needed.get(name, NO_WEIGHTS)
        folder = store.home(cell, _folder_name(cell))
        relatives = tuple(stored.folder for stored in store.relatives(cell))
        prepared.append(PreparedCell(cell, found, like, name in hashes, kept, folder, relatives))
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


def _folder_name(cell: Cell) -> str:
    """That of the plan, and of the code where no plugin's version stands for it.

    So an edited class of a notebook takes a folder of its own, and what the earlier one left
    stays as it was. (The plan of a bare module holds its code already.)
    """
    own = tuple(type(c) for c in unregistered(cell) if not isinstance(c, BareModel))
    return f"{cell.folder_name()}-{code_fingerprint(own)[:8]}" if own else cell.folder_name()
