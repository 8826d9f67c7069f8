"""Whether one cell of a submission is what its suite asks for and follows from its trajectories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from math import isclose, isfinite
from typing import Any

import numpy as np

from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.submission import NAME
from synthbench.leaderboard.submissions.texts import MOST, check_values
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import Target, first_held, times_to_target
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.plan.cell import PLAN_VERSION, Cell, ReplicaSeeds
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.suite import Suite, suite_protocol
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.schema import Record
from synthbench.registry.kinds import MODEL, OPTIMIZER, PROBE, TASK, Kind
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream

TOLERANCE = 1e-9
"""Relative: what follows from the trajectories is computed here as it was there."""
LARGEST_VALUE = 1e39
"""Beyond what a 32-bit float holds, and far from where squares overflow."""


@dataclass(frozen=True)
class ExpectedCell:
    """What a suite prescribes for one of its cells: all but the model."""

    suite: SuiteReference
    task: Task
    protocol: Protocol
    probes: tuple[Probe, ...]
    lead: str | None = None
    """The probe value that the board shows."""

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan without its model."""
        return {
            "plan_version": PLAN_VERSION,
            "task": self.task.describe(),
            "probes": [probe.describe() for probe in self.probes],
            "protocol": self.protocol.model_dump(mode="json"),
        }

    @cached_property
    def references(self) -> dict[str, list[str]]:
        """The task's references, and the names of their scores, the ranked one first."""
        return reference_names(self.task)

    def most_rows(self) -> int:
        """Most rows of its trajectories, for the smallest batch."""
        steps = evaluation_steps(self.protocol.budget, self.protocol.resolution)
        return self.protocol.seeds * len(steps)


@lru_cache(maxsize=256)
def reference_names(task: Task) -> dict[str, list[str]]:
    """The references of a task in their order, and the names of the scores of each."""
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    batch = task.sample(world, Stream.from_seed(0, Purpose.EVAL), 2)
    return {n: list(task.score(o, batch)) for n, o in task.references(world, batch).items()}


def expected_cells(suite: Suite) -> list[ExpectedCell]:
    """What the suite prescribes, in its order."""
    registry, protocol = installed(), suite_protocol(suite)
    return [
        ExpectedCell(
            SuiteReference(name=suite.name, version=suite.version, hash=suite.hash()),
            registry.task(row.task),
            protocol.model_copy(update={"budget": row.budget}),
            tuple(registry.probe(probe) for probe in suite.probes),
            suite.lead,
        )
        for row in suite.cells
    ]


def check_record(record: Record, expected: ExpectedCell) -> None:
    """Raise SubmissionError unless the record's plan is the suite's and its parts agree."""
    check_suite(record.suite, expected.suite)
    check_values(record.model_dump(mode="json"), "record")
    _check_plan(record.plan, expected.plan)
    if record.task != expected.task.label():
        raise SubmissionError(f"task is {record.task!r}, the suite has {expected.task.label()!r}")
    _check_model(record, expected)
    _check_replicas(record, expected)
    _check_costs(record)
    _check_provenance(record, expected)


def check_suite(found: SuiteReference | None, expected: SuiteReference) -> None:
    """Raise unless the suite is the one of this board, in this version."""
    if found is None:
        raise SubmissionError(
            f"it was not run as part of a suite; use `synthbench eval {expected.name}`"
        )
    if found == expected:
        return
    if (found.name, found.version) == (expected.name, expected.version):
        raise SubmissionError(f'suite "{found.name}" has another hash: its cells were changed')
    raise SubmissionError(
        f"it is for suite {found.name!r} version {found.version}, this is {expected.name!r} "
        f"version {expected.version}"
    )


def _check_plan(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    rest = {key: value for key, value in found.items() if key != "model"}
    if content_hash(rest) == content_hash(dict(expected)):
        return
    where, is_, should = first_difference(rest, expected)
    raise SubmissionError(f"plan: {where} is {is_}, the suite says {should}")


def first_difference(found: Any, expected: Any, where: str = "") -> tuple[str, str, str]:
    """The first place where two JSON values differ, and both values, cut to a readable length."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in [*expected, *(k for k in found if k not in expected)]:
            one, other = found.get(key, "absent"), expected.get(key, "absent")
            # As JSON: 1, 1.0 and true are equal to Python, and are not the same plan.
            if content_hash({"": one}) != content_hash({"": other}):
                return first_difference(one, other, f"{where}.{key}" if where else str(key))
    return where or "it", _short(found), _short(expected)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check_model(record: Record, expected: ExpectedCell) -> None:
    model = record.plan.get("model")
    recipe = model.get("recipe") if isinstance(model, dict) else None
    size = recipe.get("batch_size") if isinstance(recipe, dict) else None
    if not (isinstance(model, dict) and isinstance(model.get("name"), str) and type(size) is int):
        raise SubmissionError("plan: model must have a name and a recipe with a batch_size")
    if not 1 <= size <= expected.protocol.budget:
        raise SubmissionError(f"plan: batch_size {size} is not between 1 and the budget")
    optimizer = _optimizer_name(model)
    foreign = optimizer is not None and optimizer not in installed().names(OPTIMIZER)
    if model["name"] in installed().names(MODEL) and not foreign:
        label = _rebuilt(model, expected).model.label()
        if label != record.model:
            raise SubmissionError(f"model is called {record.model!r}, the plan says {label!r}")
        return
    # The rest is checked where its plugin is installed: at submission, and when it is verified.
    if not re.fullmatch(NAME, model["name"]):
        raise SubmissionError(f"plan: {_short(model['name'])} cannot be the name of a model")
    if record.model.split(" ")[0] != model["name"]:
        raise SubmissionError(f"model is called {record.model!r}, the plan says {model['name']!r}")


def _optimizer_name(model: Mapping[str, Any]) -> str | None:
    """The optimizer of a plugin that a recorded model names; None for one of the core."""
    optimizer = model["recipe"].get("optimizer")
    if not isinstance(optimizer, Mapping):
        return None
    name = optimizer.get("name")
    if not (isinstance(name, str) and re.fullmatch(NAME, name)):
        raise SubmissionError(f"plan: {_short(name)} cannot be the name of an optimizer")
    return name


def _rebuilt(model: dict[str, Any], expected: ExpectedCell) -> Cell:
    """The cell with the recorded model, if the installed class gives that model and accepts it."""
    try:
        rebuilt = installed().rebuild(MODEL, model)
        cell = Cell(expected.task, rebuilt, expected.protocol, expected.probes)
        cell.check()
        found = rebuilt.describe()
    # A validator of a plugin may raise anything.
    except Exception as error:
        raise SubmissionError(f"plan: the model cannot be rebuilt: {error}") from None
    if content_hash(found) != content_hash(model):
        where, is_, should = first_difference(model, found, "model")
        raise SubmissionError(f"plan: {where} is {is_}, its class makes that {should}")
    return cell


def _check_replicas(record: Record, expected: ExpectedCell) -> None:
    protocol, references = expected.protocol, expected.references
    if len(record.replicas) != protocol.seeds:
        raise SubmissionError(f"{len(record.replicas)} replicas, the suite says {protocol.seeds}")
    ranked = references["trivial"][0]
    if record.summary.score != ranked:
        raise SubmissionError(f"the ranked score is {ranked!r}, not {record.summary.score!r}")
    for number, replica in enumerate(record.replicas):
        seeds = vars(ReplicaSeeds.same(protocol.first_seed + number))
        if replica.replica != number or replica.seeds != seeds:
            raise SubmissionError(f"replica {number} is not there with the suite's seeds")
        shape = {name: list(scores) for name, scores in replica.references.items()}
        if shape != references or list(shape) != list(references):
            raise SubmissionError(f"replica {number}: its references are not those of the task")
        values = [value for scores in replica.references.values() for value in scores.values()]
        if max(map(abs, values)) > LARGEST_VALUE:
            raise SubmissionError(f"replica {number}: a reference scores more than a float holds")
        if replica.references["optimal"][ranked] == replica.references["trivial"][ranked]:
            raise SubmissionError(f"replica {number}: optimal and trivial score the same")


def _check_costs(record: Record) -> None:
    costs = record.compute
    for name in ("parameters", "step_flops", "replica_steps", "wall_seconds"):
        if (value := getattr(costs, name)) < 0:
            raise SubmissionError(f"compute: {name} = {value} is no cost")
    if costs.replicas_per_block < 1:
        raise SubmissionError("compute: replicas_per_block must be 1 or more")
    steps = record.plan["protocol"]["budget"] // record.plan["model"]["recipe"]["batch_size"]
    if costs.step_flops * steps > MOST:
        raise SubmissionError(f"compute: step_flops = {costs.step_flops} is more than can be spent")


def _check_provenance(record: Record, expected: ExpectedCell) -> None:
    try:
        datetime.fromisoformat(record.created)
    except ValueError:
        raise SubmissionError(f"created is not an ISO time: {_short(record.created)}") from None
    named = {plugin.plugin for plugin in record.environment.plugins}
    parts: list[tuple[Kind[Any], str]] = [
        (TASK, expected.task.name),
        (MODEL, record.plan["model"]["name"]),
        *((PROBE, probe.name) for probe in expected.probes),
    ]
    optimizer = _optimizer_name(record.plan["model"])
    parts += [(OPTIMIZER, optimizer)] if optimizer is not None else []
    for kind, name in parts:
        plugin = installed().names(kind).get(name)
        if plugin is not None and plugin.name not in named:
            raise SubmissionError(f'environment: plugin "{plugin.name}" took part and is not named')


@np.errstate(all="ignore")
def check_trajectories(trajectories: Trajectories, record: Record, expected: ExpectedCell) -> None:
    """Raise SubmissionError unless the trajectories obey the protocol and give the record."""
    protocol = expected.protocol
    _check_columns(trajectories, record)
    if expected.lead is not None and expected.lead not in trajectories.probes:
        raise SubmissionError(f"trajectories lack the column {expected.lead}")
    _check_index(trajectories, record, protocol)
    _check_values(trajectories, record)
    _check_progress(trajectories, record)
    _check_outcomes(trajectories, record, protocol)
    _check_summary(trajectories, record, protocol)


def _check_columns(trajectories: Trajectories, record: Record) -> None:
    found, scores = trajectories.table.column_names, list(record.replicas[0].references["trivial"])
    check_values(found, "trajectories: a column's name")
    own = [*INDEX, *scores, "loss", "progress"]
    probes = {probe["name"] for probe in record.plan["probes"]}
    rest = [name for name in found[len(own) :] if name.partition("/")[0] not in probes]
    if found[: len(own)] != own or rest != ["train_loss"]:
        known = {*own, "train_loss"}
        unknown = [n for n in found if n not in known and n.partition("/")[0] not in probes]
        reason = f"; {_short(unknown[0])} is not one" if unknown else ""
        raise SubmissionError(
            f"trajectories must have the columns {', '.join(own)}, the probes' and "
            f"train_loss{reason}"
        )
    if {n.partition("/")[0] for n in trajectories.probes} != probes:
        raise SubmissionError(f"trajectories lack a probe: {', '.join(sorted(probes))}")


def _check_index(trajectories: Trajectories, record: Record, protocol: Protocol) -> None:
    batch_size = record.plan["model"]["recipe"]["batch_size"]
    points = np.array(evaluation_steps(protocol.budget // batch_size, protocol.resolution))
    for name in INDEX:
        if trajectories.table[name].null_count:
            raise SubmissionError(f"trajectories: column {name} has gaps")
    replicas = trajectories.column("replica")
    if (np.diff(replicas) < 0).any() or trajectories.replicas() != list(range(protocol.seeds)):
        raise SubmissionError("trajectories: replicas must be 0, 1, ... in order, each once")
    for number, steps in enumerate(trajectories.by_replica("step")):
        if len(steps) > len(points) or (steps != points[: len(steps)]).any():
            raise SubmissionError(
                f"trajectories: replica {number} is not measured at the protocol's points"
            )
    steps = trajectories.column("step")
    for name, factor in (("samples", batch_size), ("flops", record.compute.step_flops)):
        if (trajectories.column(name) != steps * factor).any():
            raise SubmissionError(f"trajectories: {name} are not steps times {factor:,}")


def _check_values(trajectories: Trajectories, record: Record) -> None:
    replicas, steps = trajectories.column("replica"), trajectories.column("step")
    never_finite = np.array([r.outcome == "diverged" for r in record.replicas])[replicas]
    excused = never_finite & (steps == 0)
    for name in trajectories.table.column_names[len(INDEX) :]:
        values = trajectories.column(name)
        if (np.abs(values) > LARGEST_VALUE).any():
            raise SubmissionError(f"trajectories: {name} is larger than a float holds")
        if "/" in name:
            continue
        undefined = ~np.isfinite(values)
        allowed = excused | (steps == 0) if name == "train_loss" else excused
        if (undefined & ~allowed).any():
            raise SubmissionError(f"trajectories: {name} is not finite in places")


def _check_progress(trajectories: Trajectories, record: Record) -> None:
    ranked = trajectories.by_replica(record.summary.score)
    for replica, score, progress in zip(
        record.replicas, ranked, trajectories.by_replica("progress"), strict=True
    ):
        trivial, optimal = (
            replica.references[name][record.summary.score] for name in ("trivial", "optimal")
        )
        follows = (score - trivial) / (optimal - trivial)
        if not np.allclose(progress, follows, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            raise SubmissionError(
                f"trajectories: the progress of replica {replica.replica} does not follow from "
                "its score and references"
            )


def _check_outcomes(trajectories: Trajectories, record: Record, protocol: Protocol) -> None:
    target = _target(record, protocol)
    reached = times_to_target(trajectories, target)
    batch_size = record.plan["model"]["recipe"]["batch_size"]
    last = evaluation_steps(protocol.budget // batch_size, protocol.resolution)[-1]
    spent = 0
    for replica, steps, progress in zip(
        record.replicas,
        trajectories.by_replica("step"),
        trajectories.by_replica("progress"),
        strict=True,
    ):
        number, spent = replica.replica, spent + int(steps[-1])
        solved = bool(reached.solved[number])
        if (replica.outcome == "solved") != solved:
            raise SubmissionError(
                f'replica {number} is recorded as "{replica.outcome}", its trajectory says '
                f"{'solved' if solved else 'not solved'}"
            )
        time = int(reached.times[number]) if solved else None
        if replica.samples_to_target != time:
            raise SubmissionError(
                f"samples_to_target of replica {number} is {replica.samples_to_target}, its "
                f"trajectory says {time}"
            )
        if solved and protocol.until == "solved":
            first = first_held(progress >= target.progress, protocol.hold)
            ends_right = first is not None and len(steps) == first + protocol.hold
        else:
            ends_right = replica.outcome == "diverged" or int(steps[-1]) == last
        if not ends_right:
            raise SubmissionError(f"the trajectory of replica {number} ends at the wrong point")
    if spent != record.compute.replica_steps:
        raise SubmissionError(
            f"replica_steps is {record.compute.replica_steps}, the trajectories have {spent}"
        )


def _check_summary(trajectories: Trajectories, record: Record, protocol: Protocol) -> None:
    recomputed = summarize(
        trajectories,
        _target(record, protocol),
        batch_size=record.plan["model"]["recipe"]["batch_size"],
        step_flops=record.compute.step_flops,
        diverged=sum(replica.outcome == "diverged" for replica in record.replicas),
    )
    found, expected = record.summary.model_dump(), recomputed.model_dump()
    for key, value in expected.items():
        if not _same(found[key], value):
            where, is_, should = first_difference(found[key], value, f"summary.{key}")
            raise SubmissionError(f"{where} is {is_}, the trajectories give {should}")


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(_same(found[key], value) for key, value in expected.items())
    if isinstance(expected, float) and isinstance(found, float) and isfinite(expected):
        return isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(found == expected)


def _target(record: Record, protocol: Protocol) -> Target:
    return Target(record.plan["task"]["target"], protocol.hold, protocol.budget)
