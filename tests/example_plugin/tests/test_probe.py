"""Total influence obeys every law of probes, and is exact where it is known."""

from itertools import product

import pytest
import torch
from synthbench_example.multiplexer import Multiplexer
from synthbench_example.total_influence import TotalInfluence, influences

from synthbench import Purpose, Stream
from synthbench.testing import check_probe


def test_every_law() -> None:
    check_probe(TotalInfluence())


def every_input(n: int) -> torch.Tensor:
    return torch.tensor(list(product((-1.0, 1.0), repeat=n)))


def test_a_parity_a_dictator_and_a_constant() -> None:
    x = every_input(6)
    assert influences(lambda x: x[:, :4].prod(dim=1), x).tolist() == [1, 1, 1, 1, 0, 0]
    assert influences(lambda x: -x[:, 2], x).tolist() == [0, 0, 1, 0, 0, 0]
    assert influences(lambda x: torch.ones(len(x)), x).tolist() == [0] * 6


@pytest.mark.parametrize("address", [1, 2, 3])
def test_the_multiplexer(address: int) -> None:
    task = Multiplexer(n=address + 2**address, address=address)
    world = task.world(Stream.from_seed(1, Purpose.WORLD))
    found = influences(lambda x: task.looked_up(world, x, address), every_input(task.n))
    # An address bit matters where two data bits differ; a data bit where it is addressed.
    assert found[world[:address]].tolist() == [0.5] * address
    assert found[world[address:]].tolist() == pytest.approx([0.5**address] * 2**address)
