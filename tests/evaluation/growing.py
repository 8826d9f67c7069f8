"""A small cell that grows, and what of it is trained meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.engine.training.block import Block
from synthbench.evaluation import jobs
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed

BUDGET = 40 * 32
"""At which three of four replicas have solved the task."""
LESS = 34 * 32
"""At which one has; no larger budget is evaluated there."""


def cell(task: str = "", model: str = "", **protocol: object) -> Cell:
    base = sb.Protocol(budget=BUDGET, seeds=4, evaluation_samples=256, resolution=0.1)
    rate = "" if "lr=" in model else "lr=0.2"
    return Cell(
        installed().task(f"sparse-parity n=10 k=2 {task}"),
        installed().model(f"mlp width=16 {model} {rate}"),
        base.model_copy(update=protocol),
    )


def evaluate(planned: Cell, out: Path, **settings: object) -> sb.CellResult:
    chosen = replace(sb.Settings(sb.TrainerOptions("cpu")), **settings)
    return sb.evaluate_cells([planned], out, chosen)[0]


@contextmanager
def blocks() -> Iterator[list[Block]]:
    """What is trained meanwhile."""
    real, found = jobs.train_block, list[Block]()

    def train_block(own: Cell, block: Block, *rest):  # type: ignore[no-untyped-def]
        found.append(block)
        return real(own, block, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "train_block", train_block)
        yield found


@contextmanager
def trained() -> Iterator[list[int]]:
    """The seeds that are trained meanwhile."""
    found = list[int]()
    with blocks() as own:
        yield found
    found.extend(seeds.init for block in own for seeds in block.seeds)


def assert_same(one: sb.CellResult, other: sb.CellResult) -> None:
    assert one.measured.trajectories.table.equals(other.measured.trajectories.table)
    for name in ("plan", "plan_hash", "replicas", "summary"):
        assert getattr(one.record, name) == getattr(other.record, name)
    assert one.record.compute.replica_steps == other.record.compute.replica_steps
