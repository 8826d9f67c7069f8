"""Several cells that cannot be measured are named together, before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.planning import plan_cells
from synthbench.evaluation.settings import Settings
from synthbench.plan.protocol import Protocol


def test_every_noisy_cell_is_named_with_what_it_needs(tmp_path: Path) -> None:
    tasks = [f"sparse-parity n=12 k=2 noise={noise}" for noise in (0.0, 0.45, 0.47)]
    protocol = Protocol(seeds=2, budget=6400)
    with pytest.raises(ConfigurationError) as caught:
        evaluate_cells(plan_cells(tasks, ["mlp width=4"], protocol), tmp_path / "runs", Settings())
    first, *reasons = str(caught.value).splitlines()
    assert first == "nothing is trained, for 2 reasons:"
    assert ["noise=0.45" in reasons[0], "noise=0.47" in reasons[1]] == [True, True]
    assert all("raise evaluation_samples to about" in reason for reason in reasons)
    assert not (tmp_path / "runs").exists()
