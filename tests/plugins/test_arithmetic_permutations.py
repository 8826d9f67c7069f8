"""Composition of permutations against dictionaries of plain Python."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

import synthbench as sb
from synthbench.testing import check_task
from synthbench_arithmetic.permutations import PermutationComposition, cycle_type


def compose(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x[y[i]] for i in range(len(x)))


def inverse(x: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x.index(i) for i in range(len(x)))


def sign(x: tuple[int, ...]) -> int:
    return (-1) ** sum(x[i] > x[j] for i in range(len(x)) for j in range(i + 1, len(x)))


OPERATIONS = {
    "xy": compose,
    "xyx^-1": lambda x, y: compose(compose(x, y), inverse(x)),
    "xyx": lambda x, y: compose(compose(x, y), x),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("points", [3, 4, 5])
def test_the_whole_table_by_hand(points: int, operation: str) -> None:
    task = PermutationComposition(points=points, operation=operation)
    named = list(permutations(range(points)))
    number = {x: i for i, x in enumerate(named)}
    table = task.answers()
    assert table.shape == (task.elements, task.elements) == (len(named), len(named))
    for x in named:
        for y in named:
            answer = number[OPERATIONS[operation](x, y)]
            assert table[number[x], number[y]] == answer


def test_the_two_sides_are_all_pairs() -> None:
    task = PermutationComposition(points=3, share=0.6)
    world = task.world(sb.Stream.from_seed(2, sb.Purpose.WORLD))
    trained, held_out = task.train_set(world), task.test_sets()["held-out"].whole(world)
    assert (len(trained.x), len(held_out.x)) == (22, 14)
    rows = torch.cat([trained.x, held_out.x]).tolist()
    assert sorted(rows) == [[a, b] for a in range(6) for b in range(6)]
    table = torch.from_numpy(task.answers())
    assert all(table[a, b] == y for (a, b), y in zip(trained.x, trained.y, strict=True))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("points", [3, 4])
def test_references_on_the_whole_table(points: int, operation: str) -> None:
    """The mean over splits is that over all pairs, since no strategy reads the split."""
    task = PermutationComposition(points=points, operation=operation)
    named = list(permutations(range(points)))
    world = task.world(sb.Stream.from_seed(0, sb.Purpose.WORLD))
    batch = task.examples(torch.arange(task.pairs))
    found = {
        name: float(task.score(output, batch)["accuracy"].values.mean())
        for name, output in task.references(world, batch).items()
    }
    by_hand = {"trivial": 1 / len(named), "sign": 0.0, "optimal": 1.0}
    if operation == "xyx^-1":
        by_hand["cycle-type"] = 0.0
    for x in named:
        for y in named:
            answer = OPERATIONS[operation](x, y)
            alike = sum(sign(z) == sign(answer) for z in named)
            by_hand["sign"] += 1 / alike / len(named) ** 2
            if operation == "xyx^-1":
                # A class by its definition, not by cycle lengths.
                conjugates = {OPERATIONS[operation](z, y) for z in named}
                by_hand["cycle-type"] += 1 / len(conjugates) / len(named) ** 2
    assert found == pytest.approx(by_hand)
    assert task.exact_scores() == pytest.approx(by_hand)


def test_s5_has_seven_classes_and_two_signs() -> None:
    exact = PermutationComposition(operation="xyx^-1").exact_scores()
    assert exact == pytest.approx(
        {"trivial": 1 / 120, "sign": 1 / 60, "cycle-type": 7 / 120, "optimal": 1.0}
    )


def test_cycle_types_by_hand() -> None:
    assert cycle_type((0, 1, 2)) == (1, 1, 1) and cycle_type((1, 0, 2)) == (1, 2)
    assert cycle_type((1, 2, 0, 4, 3)) == (2, 3) and cycle_type((1, 2, 3, 4, 0)) == (5,)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_law(operation: str) -> None:
    check_task(PermutationComposition(points=3, operation=operation))
