"""Tasks over vectors and digits: pointers and curricula."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from exact import reference_scores, world_of
from synthbench_field.curriculum_parity import CurriculumParity
from synthbench_field.pvr import PointerValue, most_frequent

import synthbench as sb

# Pointers


def test_pointers_by_looking_up() -> None:
    task = PointerValue(places=4, window=2)
    batch = task.sample(world_of(task), sb.Stream.from_seed(0, sb.Purpose.TRAIN), 500)
    for (pointer, *digits), y in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        assert y == (digits[pointer] + digits[(pointer + 1) % 4]) % 10
    assert set(batch.x[:, 0].tolist()) == {0, 1, 2, 3}


def test_exact_scores_of_pointers_over_every_input() -> None:
    task = PointerValue(places=3, window=1)
    x = torch.tensor([[p, *d] for p in range(3) for d in product(range(10), repeat=3)])
    batch = sb.Batch(x, task.sums(x, x[:, :1]))
    for name, score in reference_scores(task, world_of(task), batch).items():
        assert score == pytest.approx(task.exact_scores()[name])
    assert PointerValue().exact_scores()["first-place"] == pytest.approx(0.19)
    assert most_frequent(10) == pytest.approx(2.75, abs=0.005)


# Curricula


def test_inputs_are_biased_in_the_first_steps_alone() -> None:
    task = CurriculumParity(n=10, k=3, biased_steps=5, bias=0.6)
    world = world_of(task)
    for step, mean in ((0, 0.6), (4, 0.6), (5, 0.0), (900, 0.0)):
        rng = sb.Stream.from_seed(0, sb.Purpose.TRAIN, step)
        batch = task.sample_at(world, rng, 4000, torch.tensor(step))
        assert batch.x.mean(dim=0).tolist() == pytest.approx([mean] * 10, abs=0.06)
        assert (batch.y == batch.x[:, world].prod(dim=1)).all()
    # The parity's mean is that of a product of independent signs, and held-out inputs are fair.
    rng = sb.Stream.from_seed(0, sb.Purpose.TRAIN)
    biased = task.sample_at(world, rng, 20_000, torch.tensor(0))
    assert float(biased.y.mean()) == pytest.approx(0.6**3, abs=0.03)
    (held_out,) = task.test_sets().values()
    fair = held_out.sample(world, sb.Stream.from_seed(0, sb.Purpose.EVAL), 20_000)
    assert abs(float(fair.y.mean())) < 0.03
