"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.engine.inspection.advice import model_advice
from synthbench.engine.inspection.cell import CellFacts, inspect_cell
from synthbench.engine.training.allocator import keep_freed_memory
from synthbench.engine.training.device import find_device
from synthbench.errors import ConfigurationError, ModelError
from synthbench.evaluation.cell_run import CellRun, Settings
from synthbench.listeners.watching import watching
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.suite import Suite, suite_protocol
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import make_folder
from synthbench.registry.bare_model import BareModel, Builder, as_model
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
        _task(task),
        _model(model),
        _protocol(protocol, {"seeds": seeds, "budget": budget}),
        tuple(_probe(probe) for probe in wanted),
    )
    return evaluate_cells([cell], out, settings or Settings())[0]


def _task(task: object) -> Task:
    if isinstance(task, str | Task):
        return installed().task(task)
    raise _not_an_object(task, "task", "'sparse-parity n=30 k=3'")


def _model(model: object) -> Model:
    if isinstance(model, str | Model):
        return installed().model(model)
    if isinstance(model, type) and issubclass(model, Model):
        raise _not_an_object(model, "model", "'mlp width=200'")
    return as_model(cast(Builder, model))


def _probe(probe: object) -> Probe:
    if isinstance(probe, str | Probe):
        return installed().probe(probe)
    raise _not_an_object(probe, "probe", "'weight-movement'")


def _not_an_object(given: object, kind: str, example: str) -> ConfigurationError:
    if isinstance(given, type) and issubclass(given, Configuration):
        own = given.__name__
        return ConfigurationError(f"got the class {own}; pass an object of it, such as {own}()")
    return ConfigurationError(
        f"a {kind} is an object or a reference such as {example}; got {given!r}"
    )


def _protocol(protocol: Protocol | None, shorthands: Mapping[str, int | None]) -> Protocol:
    """The protocol with the shorthands that were given; ConfigurationError for a second word."""
    given = {name: value for name, value in shorthands.items() if value is not None}
    shared = {} if protocol is None else protocol.model_dump(exclude_unset=True)
    for name in given:
        if name in shared:
            raise ConfigurationError(
                f"{name} is named twice: leave out {name}={given[name]}, or {name} in the protocol"
            )
    try:
        return Protocol(**shared, **given)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise ConfigurationError(f"{first['loc'][0]} = {first['input']!r}: {message}") from None


def plan_suite(
    suite: Suite,
    models: Sequence[str | Model | Builder],
    protocol: Protocol | None = None,
    numbers: Sequence[int] = (),
) -> list[Cell]:
    """The cells of a suite for the given models: for each task, every model.

    models: as `evaluate` takes them. protocol: default `suite_protocol(suite)`. The suite's
    budgets apply unless the protocol names one of its own. numbers: only these cells of the
    suite, counted from 1; default all. Raises ConfigurationError for a cell that it does not have.
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
            _model(model),
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
