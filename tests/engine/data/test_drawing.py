"""What is replayed when batches are drawn has the bits of what is drawn anew."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_leaves

import synthbench as sb
from synthbench.engine.data.drawing import Drawing
from synthbench.engine.data.sampling import draw_steps, draw_worlds
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, keys_of

TASKS = [
    "sparse-parity n=9 k=3 noise=0.1",
    "markov symbols=3 length=12",
    "markov symbols=2 length=12 order=2",
    "induction-copying symbols=4 length=16",
]


class Counted(Drawing):
    calls = 0

    def _function(self, size: int) -> object:
        function = super()._function(size)

        def counting(*arguments: object) -> object:
            self.calls += 1
            return function(*arguments)

        return counting


@pytest.mark.parametrize("task", TASKS)
def test_replayed_or_not_the_bits_are_the_same(task: str) -> None:
    own = installed().task(task)
    keys = keys_of([5, 6, 7])
    worlds, drawing = draw_worlds(own, keys), Counted(own)
    for steps in (range(4), range(4, 8), range(8, 12), range(60, 64), range(3)):
        found = drawing.draw(worlds, keys, steps, 8)
        expected = draw_steps(
            lambda w, k, s: own.sample_at(w, Stream(k, Purpose.TRAIN, s), 8, s), worlds, keys, steps
        )
        for one, other in zip(tree_leaves(found), tree_leaves(expected), strict=True):
            assert torch.equal(one, other)
    # Drawn, recorded, replayed twice, drawn in another shape.
    assert drawing.calls == 3


class Rising(sb.Task):
    """A curriculum: x is the step."""

    name = "rising"

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Reals(1), sb.Margin())

    def world(self, rng: Stream) -> torch.Tensor:
        return rng.signs((1,))

    def sample_at(
        self, world: torch.Tensor, rng: Stream, size: int, step: torch.Tensor
    ) -> sb.Batch:
        x = step.float().expand(size, 1) + rng.uniform((size, 1)) / 2
        return sb.Batch(x, world.expand(size))

    def references(self, world: torch.Tensor, batch: sb.Batch) -> dict[str, torch.Tensor]:
        return {"trivial": torch.zeros_like(batch.y), "optimal": batch.y}

    def losses(self) -> dict[str, object]:
        return sb.MARGIN_LOSSES

    def exact_scores(self) -> dict[str, float]:
        return {}

    def score(self, output: torch.Tensor, batch: sb.Batch) -> dict[str, torch.Tensor]:
        return {"accuracy": (output * batch.y > 0).float().mean()}


def test_the_step_is_not_frozen() -> None:
    task, keys = Rising(), keys_of([1, 2])
    drawing, worlds = Drawing(task), draw_worlds(task, keys)
    for first in (0, 10, 20, 30):
        x = drawing.draw(worlds, keys, range(first, first + 2), 3).x
        assert x.floor()[:, 0, 0, 0].tolist() == [first, first + 1]
