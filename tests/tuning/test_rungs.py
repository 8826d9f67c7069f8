"""Budgets at which trials are looked at."""

from __future__ import annotations

import pytest

from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from synthbench.tuning.rungs import rungs


def cell(model: str = "mlp", **protocol) -> Cell:
    registry = installed()
    return Cell(
        registry.task("sparse-parity n=10 k=2"), registry.model(model), Protocol(**protocol)
    )


def test_rungs_double_and_end_at_evaluations_of_the_full_budget() -> None:
    whole = cell("mlp batch_size=8", budget=8005)
    found = rungs(whole)
    assert found[-1] == 8005 and len(found) == 5
    points = {8 * step for step in evaluation_steps(1000, 0.05)}
    assert set(found[:-1]) <= points
    for budget, share in zip(found, (16, 8, 4, 2, 1), strict=True):
        assert 0.95 / 1.05 * 8000 / share <= budget <= 8005 / share


def test_a_rung_has_the_evaluations_of_the_full_budget_up_to_there() -> None:
    whole = cell("mlp batch_size=8", budget=8000)
    points = evaluation_steps(whole.steps, 0.05)
    for budget in rungs(whole):
        part = evaluation_steps(budget // 8, 0.05)
        assert part == points[: len(part)]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "warmup-stable-decay"])
def test_a_schedule_that_knows_the_budget_has_no_rung_below_it(schedule: str) -> None:
    assert rungs(cell(f"mlp schedule={schedule}", budget=8000)) == [8000]
    assert len(rungs(cell("mlp schedule=inverse-sqrt warmup=10", budget=8000))) > 1


def test_replicas_that_spend_their_budget_have_no_rung_below_it() -> None:
    assert rungs(cell(budget=8000, until="budget")) == [8000]


def test_a_budget_of_a_few_steps_has_the_rungs_that_there_are() -> None:
    assert rungs(cell("mlp batch_size=32", budget=100)) == [32, 100]
