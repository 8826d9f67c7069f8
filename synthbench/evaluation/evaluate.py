"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.engine.inspection.advice import model_advice
from synthbench.engine.inspection.cell import CellFacts, inspect_cell
from synthbench.engine.training.allocator import keep_freed_memory
from synthbench.engine.training.device import find_device
from synthbench.errors import ConfigurationError, ModelError
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.planning import (
    resolve_model,
    resolve_probe,
    resolve_task,
    with_shorthands,
)
from synthbench.evaluation.settings import Settings
from synthbench.listeners.watching import watching
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.suite import Suite
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import make_folder
from synthbench.registry.bare_model import BareModel, Builder
from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.participants import unregistered
from synthbench.registry.registry import installed
from synthbench.results.figures import save_default_picture
from synthbench.results.results import CellResult, Results


def evaluate(  # noqa: PLR0913 - the one call of a notebook: every choice beside its default
    task: str | Task,
    model: str | Model | Builder,
    *,
    seeds: int | None = None,
    budget: int | None = None,
    protocol: Protocol | None = None,
    probes: Sequence[str | Probe] = (),
    out: Path | str = "runs",
    settings: Settings | None = None,
) -> CellResult:
    """Train and measure one model on one task.

    task, model and probes are objects or references such as `'sparse-parity n=30 k=3'`; the
    model may also be a bare `nn.Module` class or a function that builds one (`as_model`, which
    takes its recipe). seeds: replicas; budget: training samples of each; other choices are in
    `protocol`. Returns the finished cell, from `out` if an identical one of an installed model
    is already there. Raises a SynthbenchError with one clear line for anything the caller can
    mend.
    """
    wanted = (probes,) if isinstance(probes, str | Probe) else probes
    cell = Cell(
        resolve_task(task),
        resolve_model(model),
        with_shorthands(protocol, {"seeds": seeds, "budget": budget}),
        tuple(resolve_probe(probe) for probe in wanted),
    )
    return evaluate_cells([cell], out, settings or Settings())[0]


def evaluate_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """Train and measure cells into `out`, one folder each, and draw them side by side.

    Every cell is checked before the first one trains. Raises a SynthbenchError with one clear
    line for anything the caller can mend.
    """
    hashes = [cell.plan_hash() for cell in cells]
    if len(set(hashes)) < len(hashes):
        raise ConfigurationError("the same task and model are planned twice; name each once")
    device = find_device(settings.trainer.accelerator)
    for tracker in settings.trackers:
        installed().tracker(tracker).check()
    facts = [_inspect(cell) for cell in cells]
    keep_freed_memory()
    out = Path(out)
    make_folder(out)
    host = installed().host
    host.announce("eval_started", cells=cells)
    reference = None
    if suite is not None:
        reference = SuiteReference(name=suite.name, version=suite.version, hash=suite.hash())
    results = []
    with watching(settings.listener, len(cells)) as listener:
        settings = replace(settings, listener=listener)
        for cell, found in zip(cells, facts, strict=True):
            folder = out / _folder_name(cell)
            result = CellRun(cell, found, device, folder, settings, reference).run()
            host.announce("cell_finished", record=result.record)
            results.append(replace(result, cell=cell))
    host.announce("eval_finished", records=[result.record for result in results])
    if len(results) > 1:
        save_default_picture([result.measured for result in results], out)
    return Results(results)


def _inspect(cell: Cell) -> CellFacts:
    try:
        return inspect_cell(cell)
    except ModelError as error:
        advice = model_advice(cell)
        if not advice:
            raise
        raise ModelError(f"{error}{advice}") from error


def _folder_name(cell: Cell) -> str:
    """That of the plan, and of the code where no plugin's version stands for it.

    So an edited class of a notebook takes a folder of its own, and what the earlier one left
    stays as it was. (The plan of a bare module holds its code already.)
    """
    own = tuple(type(c) for c in unregistered(cell) if not isinstance(c, BareModel))
    return f"{cell.folder_name()}-{code_fingerprint(own)[:8]}" if own else cell.folder_name()
