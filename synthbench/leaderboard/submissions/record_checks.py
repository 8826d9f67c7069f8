"""Whether the record of one cell is what its suite asks for, and its parts agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.differences import first_difference
from synthbench.leaderboard.submissions.expected import ExpectedCell, rebuild_cell
from synthbench.leaderboard.submissions.submission import NAME
from synthbench.leaderboard.submissions.texts import LARGEST_VALUE, MOST, check_values, shortened
from synthbench.plan.cell import ReplicaSeeds
from synthbench.plan.sources import SOURCES
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.schema import Record, ReplicaRecord
from synthbench.registry.kinds import MODEL, OPTIMIZER, PROBE, TASK, Kind
from synthbench.registry.registry import installed


def check_record(record: Record, expected: ExpectedCell) -> None:
    """Raise SubmissionError unless the record's plan is the suite's and its parts agree."""
    check_suite(record.suite, expected.suite)
    check_stands_alone(record)
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


def check_stands_alone(record: Record) -> None:
    """Raise for a cell with weights of another, whose cost is not in it, or of two machines."""
    named = [name for name in SOURCES if name in record.plan]
    if named or record.sources:
        what = " and ".join(named or record.sources)
        raise SubmissionError(
            f"it stands on another cell ({what}), whose samples are not counted; submit a model "
            "that is trained from its own initialization"
        )
    if record.earlier:
        numbers = ", ".join(str(r) for part in record.earlier for r in part.replicas)
        raise SubmissionError(
            f"replicas {numbers} were trained elsewhere than the rest, so that no rerun could show "
            "the same bits; train them together: --no-resume, or another --out"
        )


def _check_plan(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    rest = {key: value for key, value in found.items() if key != "model"}
    if content_hash(rest) == content_hash(dict(expected)):
        return
    where, is_, should = first_difference(rest, expected)
    raise SubmissionError(f"plan: {where} is {is_}, the suite says {should}")


def _check_model(record: Record, expected: ExpectedCell) -> None:
    model = record.plan.get("model")
    recipe = model.get("recipe") if isinstance(model, dict) else None
    size = recipe.get("batch_size") if isinstance(recipe, dict) else None
    if size == "full":
        size = record.compute.batch_size
        if size is None or size != expected.full_batch:
            raise SubmissionError(
                f"compute: batch_size is {size}, the full training set has {expected.full_batch}"
            )
    if not (isinstance(model, dict) and isinstance(model.get("name"), str) and type(size) is int):
        raise SubmissionError("plan: model must have a name and a recipe with a batch_size")
    if not 1 <= size <= expected.protocol.budget:
        raise SubmissionError(f"plan: batch_size {size} is not between 1 and the budget")
    optimizer = _optimizer_name(model)
    foreign = optimizer is not None and optimizer not in installed().names(OPTIMIZER)
    if model["name"] in installed().names(MODEL) and not foreign:
        label = rebuild_cell(record, expected).model.label()
        if label != record.model:
            raise SubmissionError(f"model is called {record.model!r}, the plan says {label!r}")
        return
    # The rest is checked where its plugin is installed: at submission, and when it is verified.
    if not re.fullmatch(NAME, model["name"]):
        raise SubmissionError(f"plan: {shortened(model['name'])} cannot be the name of a model")
    if record.model.split(" ")[0] != model["name"]:
        raise SubmissionError(f"model is called {record.model!r}, the plan says {model['name']!r}")


def _optimizer_name(model: Mapping[str, Any]) -> str | None:
    """The optimizer of a plugin that a recorded model names; None for one of the core."""
    optimizer = model["recipe"].get("optimizer")
    if not isinstance(optimizer, Mapping):
        return None
    name = optimizer.get("name")
    if not (isinstance(name, str) and re.fullmatch(NAME, name)):
        raise SubmissionError(f"plan: {shortened(name)} cannot be the name of an optimizer")
    return name


def _check_replicas(record: Record, expected: ExpectedCell) -> None:
    protocol, references = expected.protocol, expected.references
    if len(record.replicas) != protocol.seeds:
        raise SubmissionError(f"{len(record.replicas)} replicas, the suite says {protocol.seeds}")
    ranked = expected.ranked
    if record.summary.score != ranked:
        raise SubmissionError(f"the ranked score is {ranked!r}, not {record.summary.score!r}")
    for number, replica in enumerate(record.replicas):
        seeds = vars(ReplicaSeeds.same(protocol.first_seed + number))
        if replica.replica != number or replica.seeds != seeds:
            raise SubmissionError(f"replica {number} is not there with the suite's seeds")
        shape = {name: list(scores) for name, scores in replica.references.items()}
        if shape != references or list(shape) != list(references):
            raise SubmissionError(f"replica {number}: its references are not those of the task")
        if max(map(abs, _values(replica))) > LARGEST_VALUE:
            raise SubmissionError(f"replica {number}: a reference scores more than a float holds")
    _check_scales(record, ranked)


def _values(replica: ReplicaRecord) -> Iterator[float]:
    """Every number that a reference scores, those of curves among them."""
    for scores in replica.references.values():
        for score in scores.values():
            yield from (v for v in (score if isinstance(score, list) else [score]) if v is not None)


def _check_scales(record: Record, ranked: str) -> None:
    """Raise unless the scale of every score that has progress has two ends."""
    ceiling = record.ceiling
    for number, levels in enumerate(record.levels(ranked)):
        if not {"trivial", ceiling} <= set(levels):
            raise SubmissionError(f"replica {number}: trivial and {ceiling} must score {ranked}")
        if levels[ceiling] == levels["trivial"]:
            raise SubmissionError(f"replica {number}: {ceiling} and trivial score the same")


def _check_costs(record: Record) -> None:
    costs = record.compute
    for name in ("parameters", "step_flops", "replica_steps", "wall_seconds"):
        if (value := getattr(costs, name)) < 0:
            raise SubmissionError(f"compute: {name} = {value} is no cost")
    if costs.replicas_per_block < 1:
        raise SubmissionError("compute: replicas_per_block must be 1 or more")
    if costs.step_flops * record.steps > MOST:
        raise SubmissionError(f"compute: step_flops = {costs.step_flops} is more than can be spent")


def _check_provenance(record: Record, expected: ExpectedCell) -> None:
    try:
        datetime.fromisoformat(record.created)
    except ValueError:
        raise SubmissionError(f"created is not an ISO time: {shortened(record.created)}") from None
    named = {plugin.plugin for plugin in record.environment.plugins}
    parts: list[tuple[Kind[Any], str]] = [
        (TASK, expected.task.name),
        (MODEL, record.model_plan["name"]),
        *((PROBE, probe.name) for probe in expected.probes),
    ]
    optimizer = _optimizer_name(record.model_plan)
    parts += [(OPTIMIZER, optimizer)] if optimizer is not None else []
    for kind, name in parts:
        plugin = installed().names(kind).get(name)
        if plugin is not None and plugin.name not in named:
            raise SubmissionError(f'environment: plugin "{plugin.name}" took part and is not named')
