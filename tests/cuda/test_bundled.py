"""Every bundled task with its baseline, and every family of models, trained on both devices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from tests.cuda.cells import ON_GPU
from tests.testing.models.test_sequence_families import FAMILIES

pytestmark = ON_GPU
SHARE_OF_BUDGET = 50
"""One part in so many of a preset's budget is trained: some dozens of steps."""
FIRST_BAND, BAND = 1e-4, 5e-2
"""How far losses may be from the CPU's: rounding of a pass, then what training makes of it."""


def losses(result: sb.CellResult) -> np.ndarray:
    """(evaluations, R), in the order of evaluations."""
    table = result.measured.trajectories.table.to_pandas()
    return table.pivot(index="step", columns="replica", values="loss").to_numpy()


def hold_against_the_cpu(task: str, model: str | None, budget: int, folder: Path) -> None:
    """The same task and model, on both devices."""
    protocol, found = sb.Protocol(budget=budget, seeds=4, until="budget"), {}
    for accelerator in ("cpu", "gpu"):
        settings = sb.Settings(sb.TrainerOptions(accelerator))
        found[accelerator] = sb.evaluate(
            task, model, protocol=protocol, out=folder / accelerator, settings=settings
        )
    there = found["gpu"].record.compute
    here, on_gpu = losses(found["cpu"]), losses(found["gpu"])
    far = np.abs(here - on_gpu) / np.maximum(np.abs(here), 1)
    print(
        f"{task} | {model}: first {far[0].max():.1e}, all {far.max():.1e}, way {there.way},"
        f" graphs {there.cuda_graphs}, {there.wall_seconds:.1f} s"
    )
    assert far[0].max() <= FIRST_BAND and np.median(far) <= BAND / 10 and far.max() <= BAND


@pytest.mark.parametrize("name", installed().bundled(TASK))
def test_tasks_at_their_small_preset(name: str, tmp_path: Path) -> None:
    budget = installed().find(TASK, name).presets["small"].budget
    assert budget is not None
    hold_against_the_cpu(f"{name} small", None, budget // SHARE_OF_BUDGET, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_sequence_models(family: str, tmp_path: Path) -> None:
    task = "mqar pairs=4 symbols=16 length=32"
    hold_against_the_cpu(task, f"{family} layers=2 width=16 mlp=2", 1600, tmp_path)
