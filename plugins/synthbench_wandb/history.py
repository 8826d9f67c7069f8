"""A finished cell as W&B wants it: configuration, rows of history, a table, a summary."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from synthbench import Cell, CellResult, Record, SuiteReference, Trajectories
from synthbench_wandb.text import filter_key

LONGEST_NAME = 128
QUANTILES = {"p10": 0.1, "median": 0.5, "p90": 0.9}
INTERVAL = ("median_low", "median_high")
"""What is unbounded, as there are too few replicas, is left out."""
SPENT = ("samples", "steps", "flops")
"""What one replica has spent so far; `samples` is the horizontal axis of every curve."""


def configuration(cell: Cell, suite: SuiteReference | None) -> dict[str, Any]:
    """What is known before training: labels to filter by, and the whole plan.

    Probes are keyed by name, since W&B shows fields of a dictionary as columns, not of a list.
    """
    plan = cell.plan()
    plan["probes"] = {probe.pop("name"): probe for probe in plan["probes"]}
    return {
        "task": cell.task.label(),
        "model": cell.model.label(),
        "cell": filter_key(cell.task.label()),
        "suite": suite.name if suite else None,
        "suite_version": suite.version if suite else None,
        "suite_hash": suite.hash if suite else None,
        "plan_hash": cell.plan_hash(),
        "configuration": seedless_hash(cell),
        "plan": plan,
    }


def seedless_hash(cell: Cell) -> str:
    """The same for cells that differ in their seeds alone: how many, and which is the first."""
    plan = cell.plan()
    protocol = {k: v for k, v in plan["protocol"].items() if k not in ("seeds", "first_seed")}
    text = json.dumps({**plan, "protocol": protocol}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def group_name(cell: Cell) -> str:
    """What W&B groups by: the same for cells that differ in their seeds alone.

    In words, which are cut where they are too long, and by a hash.
    """
    words, mark = run_name(cell), seedless_hash(cell)[:8]
    return f"{words[: LONGEST_NAME - len(mark) - 1]} {mark}"


def run_name(cell: Cell) -> str:
    """`mlp width=100 on sparse-parity n=30 k=3`."""
    return f"{cell.label()} on {cell.task.label()}"[:LONGEST_NAME]


def provenance(record: Record) -> dict[str, Any]:
    """What is known once the record exists: the software, the machine, the cost."""
    environment = record.environment.model_dump(mode="json")
    environment["plugins"] = {
        each.plugin: f"{each.distribution} {each.version}" for each in record.environment.plugins
    }
    return {
        "environment": environment,
        "compute": record.compute.model_dump(mode="json"),
        "created": record.created,
    }


def curves(result: CellResult) -> Iterator[dict[str, float]]:
    """One row per evaluation point: what was spent, and how everything measured is spread.

    Quantiles over replicas, and the exact interval of their median at 95%. A replica that has
    stopped keeps its last value. `share_solved` is that of the replicas that had reached the
    target; what is undefined (the training loss before training) is left out. Scores and probes
    that are curves, not numbers, are in the figures and the artifact alone.
    """
    trajectories, record = result.measured.trajectories, result.record
    columns = {name: _levels(trajectories, name) for name in trajectories.measured}
    samples, _ = trajectories.carried_forward(trajectories.ranked)
    steps = samples / result.measured.batch_size
    spent = dict(zip(SPENT, (samples, steps, steps * record.compute.step_flops), strict=True))
    solved = _share_solved(record, samples)
    for index in range(len(samples)):
        row = {name: float(values[index]) for name, values in spent.items()}
        row["share_solved"] = float(solved[index])
        for name, levels in columns.items():
            for label, values in levels.items():
                row[f"{name}/{label}"] = float(values[index])
        yield {name: value for name, value in row.items() if math.isfinite(value)}


def _levels(trajectories: Trajectories, name: str) -> dict[str, np.ndarray]:
    """By their names the curves (E,) of one column."""
    _, quantiles = trajectories.quantiles(name, list(QUANTILES.values()))
    _, ends = trajectories.median_intervals(name)
    return dict(zip((*QUANTILES, *INTERVAL), (*quantiles, *ends), strict=True))


def _share_solved(record: Record, samples: np.ndarray) -> np.ndarray:
    times = [r.samples_to_target for r in record.replicas if r.samples_to_target is not None]
    return np.searchsorted(np.sort(times), samples, side="right") / len(record.replicas)


def replica_table(result: CellResult) -> tuple[list[str], list[list[Any]]]:
    """Column names and one row per replica: its seeds, how it ended, its last measurements."""
    record, trajectories = result.record, result.measured.trajectories
    last = {
        name: [float(values[-1]) for values in trajectories.by_replica(name)]
        for name in (trajectories.ranked, "progress", "loss")
    }
    purposes = list(record.replicas[0].seeds)
    names = ["replica", *(f"seed_{p}" for p in purposes), "outcome", "samples_to_target"]
    rows = [
        [
            replica.replica,
            *(replica.seeds[p] for p in purposes),
            replica.outcome,
            replica.samples_to_target,
            *(values[index] if math.isfinite(values[index]) else None for values in last.values()),
        ]
        for index, replica in enumerate(record.replicas)
    ]
    return [*names, *(f"final_{name}" for name in last)], rows


def summary(result: CellResult) -> dict[str, float]:
    """Every metric with its interval, as in `Results.table()`; what is undefined is left out."""
    row = result.table().drop(columns=["task", "model"]).iloc[0]
    values = {str(name): float(value) for name, value in row.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}
