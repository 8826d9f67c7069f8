"""A network that fails on workers of this machine alone: its cell is named, the others trained."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import synthbench as sb
from tests.launchers.test_course import GRID, SETTINGS


def failing_outside(process: int) -> type[nn.Module]:
    """A class that trains in one process only."""

    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if os.getpid() != process:
                raise ValueError("the author's mistake")
            return self.layer(x).squeeze(-1)

    return Fails


@pytest.mark.slow
def test_the_cell_is_named_and_the_others_are_trained(tmp_path: Path) -> None:
    model = sb.as_model(failing_outside(os.getpid()))
    bad = replace(GRID[0], model=model)
    cells = [GRID[0], bad, GRID[-1]]
    with pytest.raises(sb.CellsFailedError) as no:
        sb.evaluate_cells(cells, tmp_path, replace(SETTINGS, workers=2))
    (failed,) = no.value.failed
    assert failed.cell == bad and "the author's mistake" in str(failed.error)
    assert [each.cell for each in no.value.results] == [GRID[0], GRID[-1]]
    assert "1 of 3 cells failed, the others are finished" in str(no.value)
