"""Which widths are timed, and which is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from synthbench.engine.axis.way import Way
from synthbench.engine.training import block_size
from synthbench.engine.training.block_size import measure_stacks
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.plan.cell import Cell

# Steps per second of a block, by its width.
Speeds = Callable[[int], float]


@pytest.fixture
def tried(
    small_cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[int]]]:
    """The choice and the widths that were timed, with speeds that are made up."""

    def choose(seeds: int, steps: int, speed: Speeds) -> tuple[int, list[int]]:
        batch = small_cell.model.recipe.batch_size
        protocol = small_cell.protocol.model_copy(update={"seeds": seeds, "budget": steps * batch})
        cell, widths = replace(small_cell, protocol=protocol), []

        def step_of(cell: Cell, width: int, *rest: object) -> None:
            widths.append(width)

        def timed(step: object, device: torch.device) -> float:
            return speed(widths[-1])

        monkeypatch.setattr(block_size, "_training_step", step_of)
        monkeypatch.setattr(block_size, "_steps_per_second", timed)
        functions = stacked_functions(cell, Way.TRACED)
        return measure_stacks(cell, torch.device("cpu"), functions).width, widths

    return choose


def test_a_short_training_of_few_replicas_is_tried_once(tried) -> None:
    assert tried(4, 70, lambda width: 1_000) == (4, [4])
    assert tried(1, 70, lambda width: 1_000) == (2, [2])


def test_a_long_one_is_measured_at_several_widths(tried) -> None:
    assert tried(4, 100_000, lambda width: 1_000) == (4, [4, 2])
    assert tried(32, 100_000, lambda width: 1_000) == (32, [8, 32])
    assert tried(32, 10, lambda width: 1_000) == (32, [8, 32])


def test_ties_go_to_the_narrow_one(tried) -> None:
    # Replica-steps per second are equal within two percent.
    assert tried(4, 100_000, lambda width: 1_000 / width)[0] == 2
    assert tried(32, 100_000, lambda width: 1_000 / width * (1 + width / 3_200))[0] == 2


def test_it_stops_where_wide_is_slow(tried) -> None:
    assert tried(512, 100_000, lambda width: 1_000 / width**2) == (2, [8, 32, 2])


def test_it_stops_where_memory_ends(tried) -> None:
    def speed(width: int) -> float:
        if width > 8:
            raise MemoryError
        return 1_000

    assert tried(512, 100_000, speed) == (8, [8, 32, 2])

    def none(width: int) -> float:
        raise MemoryError

    assert tried(4, 70, none) == (2, [4, 2])
