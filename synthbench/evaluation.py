"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.cell import Cell, Protocol
from synthbench.cell_run import CellRun, Settings
from synthbench.engine.allocator import keep_freed_memory
from synthbench.engine.device import find_device
from synthbench.engine.inspection import inspect_cell
from synthbench.errors import ConfigurationError
from synthbench.figures import save_default_picture
from synthbench.model import Model
from synthbench.records.atomic import make_folder
from synthbench.records.schema import SuiteReference
from synthbench.registry import installed
from synthbench.results import CellResult, Results
from synthbench.suites import Suite
from synthbench.task import Task


def evaluate(
    task: str | Task,
    model: str | Model,
    *,
    protocol: Protocol | None = None,
    probes: Sequence[str] = (),
    out: Path | str = "runs",
    settings: Settings | None = None,
) -> CellResult:
    """Train and measure one model on one task.

    task, model and probes are objects or references such as `'sparse-parity n=30 k=3'`.
    Returns the finished cell, from `out` if an identical one is already there. Raises a
    SynthbenchError with one clear line for anything the caller can mend.
    """
    registry = installed()
    cell = Cell(
        registry.task(task),
        registry.model(model),
        protocol or Protocol(),
        tuple(registry.probe(probe) for probe in probes),
    )
    return evaluate_cells([cell], out, settings or Settings())[0]


def suite_protocol(suite: Suite, changes: Mapping[str, Any] | None = None) -> Protocol:
    """How a suite measures, its budgets aside; with changes it is no longer the leaderboard's.

    Raises pydantic's ValidationError for a change that is not allowed.
    """
    own = {"seeds": suite.seeds, "evaluation_samples": suite.evaluation_samples}
    return Protocol(**{**own, **(changes or {})})


def plan_suite(
    suite: Suite,
    models: Sequence[str | Model],
    protocol: Protocol | None = None,
    numbers: Sequence[int] = (),
) -> list[Cell]:
    """The cells of a suite for the given models: for each task, every model.

    protocol: default `suite_protocol(suite)`. The suite's budgets apply unless the protocol
    names one of its own. numbers: only these cells of the suite, counted from 1; default all.
    Raises ConfigurationError for a cell that it does not have.
    """
    if numbers and max(numbers) > len(suite.cells):
        raise ConfigurationError(
            f'suite "{suite.name}" has cells 1 to {len(suite.cells)}, there is no cell '
            f"{max(numbers)}"
        )
    registry = installed()
    shared = protocol or suite_protocol(suite)
    own_budget = "budget" in shared.model_fields_set
    return [
        Cell(
            registry.task(row.task),
            registry.model(model),
            shared if own_budget else shared.model_copy(update={"budget": row.budget}),
            tuple(registry.probe(probe) for probe in suite.probes),
        )
        for number, row in enumerate(suite.cells, start=1)
        for model in models
        if not numbers or number in numbers
    ]


def evaluate_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """Train and measure cells into `out`, one folder each, and draw them side by side.

    Every cell is checked before the first one trains.
    """
    hashes = [cell.plan_hash() for cell in cells]
    if len(set(hashes)) < len(hashes):
        raise ConfigurationError("the same task and model are planned twice; name each once")
    device = find_device(settings.trainer.accelerator)
    for tracker in settings.trackers:
        installed().tracker(tracker).check()
    facts = [inspect_cell(cell) for cell in cells]
    keep_freed_memory()
    out = Path(out)
    make_folder(out)
    host = installed().host
    host.announce("eval_started", cells=cells)
    reference = None
    if suite is not None:
        reference = SuiteReference(name=suite.name, version=suite.version, hash=suite.hash())
    results = []
    for cell, found in zip(cells, facts, strict=True):
        folder = out / cell.folder_name()
        result = CellRun(cell, found, device, folder, settings, reference).run()
        host.announce("cell_finished", record=result.record)
        results.append(result)
    host.announce("eval_finished", records=[result.record for result in results])
    if len(results) > 1:
        save_default_picture([result.measured for result in results], out)
    return Results(results)
