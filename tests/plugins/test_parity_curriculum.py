"""Sparse parity with biased first inputs."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.testing import check_task
from synthbench_parity.curriculum import CurriculumParity


def test_inputs_are_biased_in_the_first_steps_alone() -> None:
    task = CurriculumParity(n=10, k=3, biased_steps=5, bias=0.6)
    world = task.world(sb.Stream.from_seed(0, sb.Purpose.WORLD))
    for step, mean in ((0, 0.6), (4, 0.6), (5, 0.0), (900, 0.0)):
        rng = sb.Stream.from_seed(0, sb.Purpose.TRAIN, step)
        batch = task.sample_at(world, rng, 4000, torch.tensor(step))
        assert batch.x.mean(dim=0).tolist() == pytest.approx([mean] * 10, abs=0.06)
        assert (batch.y == batch.x[:, world].prod(dim=1)).all()


def test_correlations_of_the_first_steps_and_of_held_out_inputs() -> None:
    """E[y x_i] of independent signs of mean b: b^(k-1) on the support, b^(k+1) off it; then 0."""
    task, draws = CurriculumParity(n=8, k=3, bias=0.6), 40_000
    world = task.world(sb.Stream.from_seed(1, sb.Purpose.WORLD))
    biased = task.sample_at(world, sb.Stream.from_seed(1, sb.Purpose.TRAIN), draws, torch.tensor(0))
    (held_out,) = task.test_sets().values()
    fair = held_out.sample(world, sb.Stream.from_seed(1, sb.Purpose.EVAL), draws)
    for coordinate in range(8):
        on = coordinate in world.tolist()
        found = float((biased.y * biased.x[:, coordinate]).mean())
        # Five standard errors of a mean of signs.
        assert found == pytest.approx(0.6**2 if on else 0.6**4, abs=5 / draws**0.5)
        assert float((fair.y * fair.x[:, coordinate]).mean()) == pytest.approx(0, abs=0.025)


@pytest.mark.usefixtures("briefly")
def test_it_keeps_every_law() -> None:
    check_task(CurriculumParity(n=8, k=3, biased_steps=2))
