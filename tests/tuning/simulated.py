"""Trials whose replicas solve their task when they are told to, without any training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from synthbench.metrics.survival import kaplan_meier_median
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from synthbench.tuning.proposals import Proposal
from synthbench.tuning.trial import Trial


@dataclass(frozen=True)
class SimulatedModel:
    """When its replicas first meet the target for good, in steps; inf for never.

    diverge: the steps at which they diverge instead. progress: of those that do not solve it.
    """

    solve: tuple[float, ...]
    diverge: tuple[float, ...]
    progress: float = 0.5
    batch_size: int = 8


def simulated_trial(number: int, model: SimulatedModel, budget: int, hold: int = 2) -> Trial:
    """A trial on a task of no importance."""
    cell = Cell(
        installed().task("sparse-parity n=10 k=2"),
        installed().model(f"mlp width={number + 1} batch_size={model.batch_size}"),
        Protocol(budget=budget, seeds=len(model.solve), hold=hold),
    )
    return Trial(number + 1, Proposal({"width": str(number + 1)}, cell.model.label()), cell)


def measure(cell: Cell, model: SimulatedModel) -> Any:
    """What training the cell would have shown: the parts of a `MeasuredCell` that tuning reads."""
    protocol = cell.protocol
    steps = evaluation_steps(cell.steps, protocol.resolution)
    points = np.array(steps, float) * cell.batch_size
    times, solved, diverged, ends = [], [], [], []
    for solve, diverge in zip(model.solve, model.diverge, strict=True):
        found = int(np.searchsorted(steps, solve)) if np.isfinite(solve) else len(steps)
        reached = found + protocol.hold <= len(steps) and steps[found + protocol.hold - 1] < diverge
        solved.append(reached)
        diverged.append(not reached and diverge <= steps[-1])
        times.append(max(points[found], 1) if reached else protocol.budget)
        last = steps[found + protocol.hold - 1] if reached else min(steps[-1], diverge)
        ends.append((1.0 if reached else model.progress, last))
    summary = SimpleNamespace(
        samples_to_target=kaplan_meier_median(np.array(times, float), np.array(solved)),
        replicas=len(times),
        solved=sum(solved),
        diverged=sum(diverged),
    )
    costs = SimpleNamespace(replica_steps=int(sum(last for _, last in ends)), step_flops=100)
    return SimpleNamespace(
        record=SimpleNamespace(
            summary=summary, protocol=protocol.model_dump(), compute=costs, budget=protocol.budget
        ),
        context=SimpleNamespace(points=points),
        trajectories=SimpleNamespace(
            by_replica=lambda name: [np.array([0.0, progress]) for progress, _ in ends]
        ),
        budget=protocol.budget,
        batch_size=cell.batch_size,
        folder=Path(f"{cell.model.label()} {protocol.budget}"),
    )


def whole(trial: Trial, model: SimulatedModel) -> Trial:
    """The trial with its full budget spent at once."""
    return replace(trial, standing=None, measured=None).after(
        trial.cell.protocol.budget, measure(trial.cell, model)
    )
