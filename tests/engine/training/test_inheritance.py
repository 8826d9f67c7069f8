"""What replicas take over: pruning by magnitude, rows of a block, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.training.block import Block, split_blocks
from synthbench.engine.training.inheritance import Inherited, prune, smallest_weights
from synthbench.engine.training.snapshots import named_snapshots, snapshot
from synthbench.engine.training.teaching import teacher_of, teaching, training_loss


def weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"a": (3, 4, 5), "bias": (3, 4), "b": (3, 2, 2, 5)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5, 0.99])
def test_the_smallest_weights_of_every_replica_go(sparsity: float) -> None:
    given = weights()
    everywhere = smallest_weights(given, sparsity, "global")
    each = smallest_weights(given, sparsity, "layer")
    assert everywhere.keys() == each.keys() == {"a", "b"}
    for r in range(3):
        sizes = torch.cat([given[n][r].abs().flatten() for n in ("a", "b")]).tolist()
        gone = torch.cat([everywhere[n][r].flatten() for n in ("a", "b")]).tolist()
        ranked = sorted(range(40), key=sizes.__getitem__)
        assert {i for i in range(40) if gone[i]} == set(ranked[: round(sparsity * 40)])
        for name in ("a", "b"):
            own, lost = given[name][r].abs().flatten(), each[name][r].flatten()
            assert lost.sum() == round(sparsity * 20)
            lowest = own.sort().values[: int(lost.sum())]
            assert torch.equal(own[lost].sort().values, lowest)
    for r in range(3):
        alone = smallest_weights({n: t[r : r + 1] for n, t in given.items()}, sparsity, "global")
        assert all(torch.equal(alone[n][0], everywhere[n][r]) for n in alone)


def test_of_equal_weights_the_first_go() -> None:
    gone = smallest_weights({"w": torch.ones(1, 2, 3)}, 0.5, "global")["w"]
    assert gone.tolist() == [[[True, True, True], [False, False, False]]]


def test_pruning_is_in_place_and_exact() -> None:
    given = weights()
    inherited = Inherited(pruned=smallest_weights(given, 0.5, "layer"))
    kept = {name: tensor.clone() for name, tensor in given.items()}
    prune(inherited.masks(given), given)
    assert all((given[n] == 0).sum() == given[n].numel() // 2 for n in ("a", "b"))
    assert torch.equal(given["bias"], kept["bias"])
    assert all(torch.equal(given[n][given[n] != 0], kept[n][given[n] != 0]) for n in given)


def test_padded_rows_are_those_of_the_last_replica(small_cell: sb.Cell) -> None:
    blocks = split_blocks(small_cell.replica_seeds()[:5], 3)
    assert [block.rows() for block in blocks] == [[0, 1, 2], [3, 4, 4]]
    state = {"w": torch.arange(5.0)}
    taken = Inherited(start=state, teachers=(state, state)).rows(blocks[1].rows())
    assert taken.start is not None and taken.start["w"].tolist() == [3, 4, 4]
    assert len(taken.teachers) == 2 and taken.pruned is None
    assert blocks[0] == Block(0, tuple(small_cell.replica_seeds()[:3]), 3, Inherited())


def test_a_snapshot_holds_the_last_weights_of_those_that_have_stopped() -> None:
    now, final = {"w": torch.tensor([1.0])}, {"w": torch.tensor([7.0, 8, torch.nan])}
    taken = snapshot(now, final, np.array([True, False, False]))
    assert taken["w"].tolist()[:2] == [1, 8] and taken["w"][2].isnan()
    named = named_snapshots({5: taken}, (5, 9, 12), final)
    assert list(named) == ["5/w", "9/w", "12/w"]
    assert named["9/w"].tolist()[:2] == [7, 8]
    assert len({tensor.data_ptr() for tensor in named.values()}) == 3


def test_a_cell_alone_is_trained_as_ever(small_cell: sb.Cell) -> None:
    """The very loss of the recipe, nobody who teaches, and no masks: nothing new is traced."""
    own = recipe_loss(small_cell.task, small_cell.model)
    assert training_loss(small_cell) is own and teaching(small_cell) is None
    unheard = replace(small_cell, teacher=sb.Teacher(small_cell, hard=1.0))
    assert teacher_of(unheard) is None and training_loss(unheard) is own
    assert Inherited().masks({"w": torch.ones(2, 2, 2)}) == {}


@pytest.mark.parametrize(
    ("at", "steps", "places"),
    [
        ((0, "last"), 5, [0, 0, 0, 1, 1]),
        ((1, 2, 3), 6, [0, 0, 1, 1, 2, 2]),
        ("last", 3, [0, 0, 0]),
        ((0, 1, 2), 2, [0, 1]),
    ],
)
def test_teachers_take_turns_in_equal_parts(at, steps: int, places: list[int]) -> None:
    teacher = sb.Teacher(None, at)
    assert [teacher.moment_of(step, steps) for step in range(steps)] == places
