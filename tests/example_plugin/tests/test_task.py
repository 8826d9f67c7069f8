"""The multiplexer obeys every law of tasks, and its exact scores are true."""

from itertools import product

import pytest
import torch
from synthbench_example.multiplexer import Multiplexer

from synthbench import Batch, Purpose, Stream
from synthbench.testing import check_task


def test_every_law() -> None:
    check_task(Multiplexer())


@pytest.mark.parametrize("address", [1, 2, 3])
def test_labels_and_exact_scores_by_enumeration(address: int) -> None:
    task = Multiplexer(n=address + 2**address, address=address)
    world = task.world(Stream.from_seed(1, Purpose.WORLD))
    x = torch.tensor(list(product((-1.0, 1.0), repeat=task.n)))
    where = world.tolist()
    labels = []
    for signs in x.tolist():
        digits = ["1" if signs[i] < 0 else "0" for i in reversed(where[:address])]
        labels.append(signs[where[address + int("".join(digits), 2)]])
    every_input, exact = Batch(x, torch.tensor(labels)), task.exact_scores()
    for name, output in task.references(world, every_input).items():
        assert task.score(output, every_input)["accuracy"].item() == pytest.approx(exact[name])


def test_too_few_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n must be at least address \+ 2\^address = 11, got 10"):
        Multiplexer(n=10, address=3)
