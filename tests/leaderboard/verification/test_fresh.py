"""A result on fresh seeds against another training: the same bits, or no shift, as in verify.

`pytest -m slow` adds chaotic training of another number of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from synthbench.leaderboard.submissions.fresh import LOWEST_SEED, FreshCell, FreshResult
from synthbench.leaderboard.verification.fresh import FALSE_NEAR, differences, other_times
from synthbench.records.schema import Compute, Environment
from tests.leaderboard.verification.test_same_bits import HERE

COUNT = 40
GRID = np.unique(np.round(32 * 1.04 ** np.arange(200))).astype(int)
"""Evaluation points, 4% apart."""


def fresh_cell(times: Sequence[int | None], environment: Environment = HERE) -> FreshCell:
    data = tuple(f"{seed:064x}" for seed in range(len(times)))
    return FreshCell(
        samples_to_target=tuple(times), data=data, environment=environment, wall_seconds=1.0
    )


def found(*cells: FreshCell) -> FreshResult:
    return FreshResult(
        submission="0" * 64,
        beacon="2999-01-02 lottery 1 2 3",
        first_seed=LOWEST_SEED,
        seeds=COUNT,
        created="2999-01-03",
        cells=cells,
    )


def trained(executor: str = "replayed") -> Compute:
    """All that is asked of how a cell is trained."""
    return Compute.model_construct(executor=executor)


def told(
    one: Sequence[int | None],
    two: Sequence[int | None],
    executor: str = "replayed",
    **changes: object,
) -> list[str]:
    """Of one cell, trained again elsewhere or, with no changes, here."""
    other = fresh_cell(two, HERE.model_copy(update=changes))
    return differences(found(fresh_cell(one)), [other], range(COUNT), [trained(executor)])


def times(shift: int = 0, noise: int = 0) -> list[int | None]:
    """In evaluation points: places on the grid, moved by a shift and a symmetric noise."""
    draws = np.random.default_rng(3)
    places = draws.integers(60, 120, COUNT)
    moved = places + shift + draws.integers(-noise, noise + 1, COUNT)
    return [int(GRID[place]) for place in moved]


def test_the_same_times_agree_everywhere() -> None:
    assert told(times(), times()) == []
    assert told(times(), times(), device="cuda", device_name="H100") == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        # Nothing that decides last bits, which was taken for other hardware.
        {"python": "3.14.0"},
        {"platform": "Linux-9.9.9-x86_64-with-glibc2.36"},
        {"pytorch_lightning": "9.9"},
    ],
)
def test_on_the_same_setup_one_other_time_is_named(changes: dict[str, object]) -> None:
    other = times()
    other[7] = int(GRID[3])
    (line,) = told(times(), other, **changes)
    assert line == (
        "cell 1: fresh seed 7 has another time to target, on the same hardware and software"
    )


def test_compiled_steps_owe_no_bits_but_no_shift_either() -> None:
    assert told(times(), times(noise=1), "compiled") == []
    (line,) = told(times(), times(shift=1), "compiled")
    assert "4% shorter" in line


@pytest.mark.parametrize("changes", [{"threads": 7}, {"device": "cuda", "device_name": "H100"}])
def test_elsewhere_rounding_may_move_some(changes: dict[str, object]) -> None:
    assert told(times(), times(noise=1), **changes) == []


def test_elsewhere_a_shift_of_one_evaluation_is_found() -> None:
    """All of them are within an evaluation point, which alone was asked before."""
    (line,) = told(times(), times(shift=1), threads=7)
    assert line.startswith("cell 1: the times to target are 4% shorter than those of the same")


def test_elsewhere_a_shift_that_no_cell_shows_is_found_over_all() -> None:
    few = 7
    cells = [fresh_cell(times()[n * few : (n + 1) * few]) for n in range(5)]
    own = HERE.model_copy(update={"threads": 7})
    again = [fresh_cell(times(shift=1)[n * few : (n + 1) * few], own) for n in range(5)]
    (line,) = differences(found(*cells), again, range(few), [trained()] * 5)
    assert line.startswith("over all cells, the times to target are 4% shorter")


def test_times_of_other_seeds_are_named() -> None:
    lines = told(times(), times(noise=30), threads=7)
    assert lines == ["cell 1: the times to target are not those of their seeds"]


def test_times_of_other_seeds_that_no_cell_shows_are_found_over_all() -> None:
    few = 7
    one, two = times(), times(noise=30)
    own = HERE.model_copy(update={"threads": 7})
    parts = [slice(n * few, (n + 1) * few) for n in range(5)]
    cells = [fresh_cell(one[part]) for part in parts]
    again = [fresh_cell(two[part], own) for part in parts]
    lines = differences(found(*cells), again, range(few), [trained()] * 5)
    assert lines == ["over all cells, the times to target are not those of their seeds"]


@pytest.mark.parametrize("seeds", [6, pytest.param(16, marks=pytest.mark.slow), 32])
def test_chaotic_training_is_not_taken_for_other_seeds(seeds: int) -> None:
    """The least share of honest times within a point was 0.72, of nine cells."""
    draws = np.random.default_rng(seeds)
    own = np.full((4000, seeds, 1), 1000.0)
    rerun = np.where(draws.random(own.shape) < 0.72, 1000.0, 1200.0)
    pairs = np.concatenate([own, rerun], axis=2)
    assert sum(other_times(each, FALSE_NEAR / 5) for each in pairs) <= 2
    # And times that have nothing to do with their seeds, of which one in ten is near by chance.
    rerun = np.where(draws.random(own.shape) < 0.1, 1000.0, 1200.0)
    pairs = np.concatenate([own, rerun], axis=2)
    found = np.mean([other_times(each, FALSE_NEAR / 5) for each in pairs])
    assert found > {6: -1, 16: 0.47, 32: 0.97}[seeds]


def test_data_must_be_equal_everywhere() -> None:
    again = fresh_cell(times()).model_copy(update={"data": ("f" * 64,) * COUNT})
    (line,) = differences(found(fresh_cell(times())), [again], range(COUNT), [trained()])
    assert line == "cell 1: the data are not those of the beacon's seeds"
