"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.engine.training.allocator import keep_freed_memory
from synthbench.evaluation.agenda import Agenda
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.cell_tracking import say_what_is_left
from synthbench.evaluation.earlier import finished_replicas, reuse_note
from synthbench.evaluation.failures import CellsFailedError, FailedCell
from synthbench.evaluation.machine import Machine
from synthbench.evaluation.picture import try_picture
from synthbench.evaluation.planning import (
    Participants,
    resolve_model,
    resolve_probe,
    resolve_task,
    with_preset,
    with_shorthands,
)
from synthbench.evaluation.preparation import PreparedCell, prepare
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.source_references import StandsOn, stand
from synthbench.evaluation.standing import foundation_of
from synthbench.evaluation.store import Store
from synthbench.evaluation.workplace import Workplace
from synthbench.isolation import isolated
from synthbench.isolation.termination import terminable
from synthbench.listeners.cell_names import distinctions
from synthbench.listeners.listener import PlannedCell
from synthbench.listeners.watching import watching
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.sources import Mask, Teacher, Weights
from synthbench.plan.suite import Suite
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import make_folder, remove_unfinished
from synthbench.records.given_folder import given_folder
from synthbench.registry.bare_model import Builder
from synthbench.registry.registry import installed
from synthbench.results.results import CellResult, Results


@isolated()
def evaluate(  # noqa: PLR0913 - the one call of a notebook: every choice beside its default
    task: str | Task,
    model: str | Model | Builder | None = None,
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
    takes its recipe), and is that of the task's preset, `'sparse-parity small'`, where none is
    given. seeds: replicas; budget: training samples of each; other choices are in
    `protocol`. teacher, start, mask: other cells whose weights go to the same replicas, a
    `Teacher`, `Weights` or `Mask` of a finished cell, its folder, or a model that is trained first
    (until its budget ends) where it is not there: `'mlp width=50@500'`, the last evaluation at
    or before step 500. Returns the finished cell, from `out` if an identical one of an installed
    model is already there. Raises a SynthbenchError with one clear line for anything the caller
    can mend.
    """
    wanted = (probes,) if isinstance(probes, str | Probe) else probes
    given = Participants(() if model is None else (model,), wanted)
    (models, measured), defaults = with_preset(task, given)
    cell = Cell(
        resolve_task(task),
        resolve_model(models[0]),
        with_shorthands(protocol, {"seeds": seeds, "budget": budget}, defaults),
        tuple(resolve_probe(probe) for probe in measured),
    )
    standing = stand(cell, StandsOn(teacher, start, mask))
    return evaluate_cells([standing], out, settings or Settings())[0]


def evaluate_cells(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> Results:
    """Train and measure cells into `out`, one folder each, and draw them side by side.

    Every cell is checked before the first one trains. Those on which others stand come first,
    and are trained if they are not among the cells. SIGTERM is as Ctrl-C, a KeyboardInterrupt
    after a checkpoint. Raises a SynthbenchError with one clear line for anything the caller can
    mend. One of several cells that fails later does not keep the others from being trained:
    CellsFailedError then has their results, and the reasons. A single cell raises its own error.
    """
    results, failed = evaluate_each(cells, out, settings, suite)
    if failed:
        raise _failure(cells, results, failed)
    return results


@isolated()
def evaluate_each(
    cells: Sequence[Cell], out: Path | str, settings: Settings, suite: Suite | None = None
) -> tuple[Results, dict[str, Exception]]:
    """As `evaluate_cells`: what finished, and why other cells did not, by the hashes of plans.

    Failures have those too on which the cells stand. Raises before anything trains, and for a
    full disk or workers that are lost, as it does.
    """
    out = given_folder(out)
    store = Store.read(out)
    if settings.resume:
        cells = store.looked_at_as_often(cells)
    with terminable(), Workplace(settings) as workplace:
        there = workplace.machine_elsewhere(cells)
        prepared, device = prepare(cells, store, settings, there.device if there else None)
        machine = there or Machine.here(device)
        earlier = finished_replicas(prepared, machine, settings, going_on=True)
        workplace.open_if_worthwhile(prepared, earlier, device)
        keep_freed_memory()
        if sum(earlier) < sum(each.cell.protocol.seeds for each in prepared):
            make_folder(out)
        # Of a picture, while which an earlier one was killed.
        remove_unfinished(out)
        installed().host.announce("eval_started", cells=[each.cell for each in prepared])
        with watching(settings.listener) as listener:
            settings = replace(settings, listener=listener)
            listener.evaluation_planned(
                [
                    PlannedCell(each.cell, each.facts.step_flops, count)
                    for each, count in zip(prepared, earlier, strict=True)
                ]
            )
            if said := reuse_note(prepared, earlier):
                listener.note(said)
            opening = partial(_run_of, machine, settings, _reference(suite))
            agenda = Agenda(workplace.in_order(prepared), opening, listener)
            workplace.work_off(agenda, listener)
            finished = agenda.finished
            names = [cell.plan_hash() for cell in cells]
            results = Results([finished[name] for name in names if name in finished])
            if len(results) > 1 and settings.pictures:
                try_picture(results.measured, out, listener)
            trackers = [installed().tracker(tracker) for tracker in settings.trackers]
            say_what_is_left(trackers, out, listener)
    ended = [finished.get(each.cell.plan_hash()) for each in prepared]
    records = [result.record for result in ended if result is not None]
    installed().host.announce("eval_finished", records=records)
    return results, agenda.failed


def _failure(cells: Sequence[Cell], results: Results, failed: Mapping[str, Exception]) -> Exception:
    """What to raise in the end; failed: by plan hash, those too on which the cells stand."""
    first = next(iter(failed.values()))
    if len(cells) == 1:
        return first
    apart = distinctions(cells)
    named = [
        FailedCell(cell, failed[cell.plan_hash()], apart[place])
        for place, cell in enumerate(cells)
        if cell.plan_hash() in failed
    ]
    error = CellsFailedError(results, named)
    error.__cause__ = first
    return error


def _run_of(
    machine: Machine,
    settings: Settings,
    suite: SuiteReference | None,
    prepared: PreparedCell,
    finished: Mapping[str, CellResult],
) -> CellRun:
    """A cell with what it takes over from finished ones, those of this evaluation by plan hash."""
    cell, facts, folder = prepared.cell, prepared.facts, prepared.folder
    foundation = foundation_of(cell, {name: each.measured for name, each in finished.items()})
    weights = prepared.kept, foundation
    reference = suite if prepared.asked else None
    where = machine, folder, settings, reference
    return CellRun(cell, facts, *where, *weights, prepared.relatives)


def _reference(suite: Suite | None) -> SuiteReference | None:
    if suite is None:
        return None
    return SuiteReference(name=suite.name, version=suite.version, hash=suite.hash())
