"""From tasks, models and probes, or their names, to cells."""

from __future__ import annotations

from typing import Any

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.evaluation.planning import plan_cells, with_shorthands
from synthbench.registry.registry import installed


@pytest.mark.parametrize(
    ("protocol", "seeds", "budget", "expected"),
    [
        (None, 8, None, sb.Protocol(seeds=8)),
        (None, None, 6_400, sb.Protocol(budget=6_400)),
        (None, None, None, sb.Protocol()),
        (sb.Protocol(until="budget"), 8, 6_400, sb.Protocol(until="budget", seeds=8, budget=6_400)),
        (sb.Protocol(seeds=8), None, 6_400, sb.Protocol(seeds=8, budget=6_400)),
    ],
)
def test_shorthands_join_the_protocol(
    protocol: Any, seeds: Any, budget: Any, expected: sb.Protocol
) -> None:
    assert with_shorthands(protocol, {"seeds": seeds, "budget": budget}) == expected


def test_every_model_is_planned_on_every_task() -> None:
    registry, protocol = installed(), sb.Protocol(seeds=4)
    easy, hard = (registry.task(f"sparse-parity n={n} k=2") for n in (10, 30))
    small, probe = registry.model("mlp width=4"), registry.probe("weight-movement")
    found = plan_cells([easy, hard.label()], ["mlp", small], protocol, ["weight-movement"])
    assert found == [
        sb.Cell(task, model, protocol, (probe,))
        for task in (easy, hard)
        for model in (registry.model("mlp"), small)
    ]


@pytest.mark.parametrize(
    ("tasks", "models", "probes", "message"),
    [
        ([3], ["mlp"], [], "a task is an object or a reference such as .*; got 3"),
        (["sparse-parity"], [type(installed().model("mlp"))], [], "got the class"),
        (["sparse-parity"], ["mlp"], [len], "a probe is an object or a reference"),
    ],
)
def test_what_is_no_part_of_a_cell(tasks: Any, models: Any, probes: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        plan_cells(tasks, models, sb.Protocol(), probes)
