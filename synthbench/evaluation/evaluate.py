"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.engine.inspection.advice import model_advice
from synthbench.engine.inspection.cell import CellFacts, inspect_cell
from synthbench.engine.inspection.inherited import check_inherited
from synthbench.engine.training.allocator import keep_freed_memory
from synthbench.engine.training.device import find_device
from synthbench.errors import ConfigurationError, ModelError
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights, wanted_weights
from synthbench.evaluation.picture import try_picture
from synthbench.evaluation.planning import (
    resolve_model,
    resolve_probe,
    resolve_task,
    with_shorthands,
)
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.source_references import StandsOn, stand
from synthbench.evaluation.standing import foundation_of, needed_weights, with_sources
from synthbench.isolation import isolated
from synthbench.listeners.watching import watching
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.source_checks import check_sources
from synthbench.plan.sources import Mask, Teacher, Weights
from synthbench.plan.suite import Suite
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import make_folder
from synthbench.registry.bare_model import BareModel, Builder
from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.participants import unregistered
from synthbench.registry.registry import installed
from synthbench.results.results import CellResult, Results


@isolated()
def evaluate(  # noqa: PLR0913 - the one call of a notebook: every choice beside its default
    task: str | Task,
    model: str | Model | Builder,
    *,
    seeds: int | None = None,
    budget: int | None = None,
    protocol: Protocol | None = None,
    probes: Sequence[str | Probe] = (),
    teacher: Teacher[Any] | CellResult | str | None = None,
    start: Weights[Any] | CellResult | str | None = None,
    mask: Mask[Any] | None = None,
    out: Path | str = "runs",
    settings: Settings | None = None,
) -> CellResult:
    """Train and measure one model on one task.

    task, model and probes are objects or references such as `'sparse-parity n=30 k=3'`; the
    model may also be a bare `nn.Module` class or a function that builds one (`as_model`, which
    takes its recipe). seeds: replicas; budget: training samples of each; other choices are in
    `protocol`. teacher, start, mask: other cells whose weights go to the same replicas, a
    `Teacher`, `Weights` or `Mask` of a finished cell, its folder, or a model that is trained first
    (until its budget ends) where it is not there: `'mlp width=50@500'`, the last evaluation at
    or before step 500. Returns the finished cell, from `out` if an identical one of an installed
    model is already there. Raises a SynthbenchError with one clear line for anything the caller
    can mend.
    """
    wanted = (probes,) if isinstance(probes, str | Probe) else probes
    cell = Cell(
        resolve_task(task),
        resolve_model(model),
        with_shorthands(protocol, {"seeds": seeds, "budget": budget}),
        tuple(resolve_probe(probe) for probe in wanted),
    )
    standing = stand(cell, StandsOn(teacher, start, mask))
    return evaluate_cells([standing], out, settings or Settings())[0]


@isolated()
def evaluate_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """Train and measure cells into `out`, one folder each, and draw them side by side.

    Every cell is checked before the first one trains. Those on which others stand come first,
    and are trained if they are not among the cells. Raises a SynthbenchError with one clear
    line for anything the caller can mend.
    """
    hashes = [cell.plan_hash() for cell in cells]
    if len(set(hashes)) < len(hashes):
        raise ConfigurationError("the same task and model are planned twice; name each once")
    device = find_device(settings.trainer.accelerator)
    for tracker in settings.trackers:
        installed().tracker(tracker).check()
    planned = with_sources(cells)
    facts = _inspect_all(planned)
    kept = _kept(planned, hashes, settings)
    keep_freed_memory()
    out = Path(out)
    make_folder(out)
    host = installed().host
    host.announce("eval_started", cells=planned)
    finished: dict[str, CellResult] = {}
    with watching(settings.listener, len(planned)) as listener:
        settings = replace(settings, listener=listener)
        for cell, found in zip(planned, facts, strict=True):
            name, folder = cell.plan_hash(), out / _folder_name(cell)
            asked = name in hashes
            if not asked:
                listener.note(f'first "{cell.label()}", on whose weights others stand')
            reference = _reference(suite) if asked else None
            foundation = foundation_of(cell, {n: r.measured for n, r in finished.items()})
            weights = kept[name], foundation
            run = CellRun(cell, found, device, folder, settings, reference, *weights)
            result = run.run()
            host.announce("cell_finished", record=result.record)
            finished[name] = replace(result, cell=cell)
        results = Results([finished[name] for name in hashes])
        if len(results) > 1:
            try_picture(results.measured, out, listener)
    host.announce("eval_finished", records=[result.record for result in finished.values()])
    return results


def _kept(
    planned: Sequence[Cell], asked: Sequence[str], settings: Settings
) -> dict[str, KeptWeights]:
    """Plan hash -> the weights to be kept: those asked for, and those on which others stand."""
    needed = needed_weights(planned)
    kept = {}
    for cell in planned:
        name = cell.plan_hash()
        keep = settings.keep_weights if name in asked else False
        kept[name] = wanted_weights(keep, cell) | needed.get(name, NO_WEIGHTS)
    return kept


def _reference(suite: Suite | None) -> SuiteReference | None:
    if suite is None:
        return None
    return SuiteReference(name=suite.name, version=suite.version, hash=suite.hash())


def _inspect_all(cells: Sequence[Cell]) -> list[CellFacts]:
    """What is found out about every cell; where several are refused, the error names them all."""
    facts, refused = [], dict[str, ConfigurationError]()
    for cell in cells:
        try:
            facts.append(_inspect(cell))
        except ConfigurationError as error:
            # Cells of one task and several models are refused for one reason.
            refused.setdefault(str(error), error)
    if len(refused) == 1:
        raise next(iter(refused.values()))
    if refused:
        reasons = "\n  ".join(refused)
        raise ConfigurationError(f"nothing is trained, for {len(refused)} reasons:\n  {reasons}")
    return facts


def _inspect(cell: Cell) -> CellFacts:
    check_sources(cell)
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
