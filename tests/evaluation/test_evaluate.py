"""`synthbench.evaluate`: what it is given, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": 8, "protocol": sb.Protocol(seeds=4)}, "seeds is named twice: leave out seeds=8"),
        ({"budget": 64, "protocol": sb.Protocol(budget=64)}, "budget is named twice"),
        ({"seeds": 0}, "seeds = 0: input should be greater than or equal to 1"),
        ({"budget": "many"}, "budget = 'many': input should be a valid integer"),
        ({"task": 3}, "a task is an object or a reference such as .*; got 3"),
        ({"task": installed().find(TASK, "sparse-parity")}, "got the class SparseParity"),
        ({"probes": [len]}, "a probe is an object or a reference such as 'weight-movement'"),
    ],
)
def test_mistakes_are_one_line(arguments: dict, message: str, tmp_path: Path) -> None:
    given = {"task": "sparse-parity n=10 k=2", "model": "mlp width=4", "out": tmp_path, **arguments}
    with pytest.raises(ConfigurationError, match=message) as caught:
        sb.evaluate(**given)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_a_single_probe_needs_no_list(tmp_path: Path) -> None:
    result = sb.evaluate(
        "sparse-parity n=10 k=2", "mlp width=4", seeds=2, budget=64, probes="weight-movement",
        out=tmp_path, settings=sb.Settings(replicas_per_block=2),
    )  # fmt: skip
    assert "weight-movement/linf" in result.trajectories.column_names
    assert result.record.plan["protocol"]["seeds"] == 2
