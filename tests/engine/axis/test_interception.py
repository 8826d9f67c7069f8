"""Functions of torch run inside a replica's forward pass as they do outside of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.streams import NoiseStream

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "max pooling": lambda x: functional.max_pool2d(x, 2),
    "adaptive pooling": lambda x: functional.adaptive_max_pool2d(x, 2),
    "with indices": lambda x: functional.max_pool2d(x, 2, return_indices=True)[0],
    "pooling in one dimension": lambda x: functional.max_pool1d(x[0], 2),
    "mesh": lambda x: torch.meshgrid(x[0, 0, 0], x[1, 1, 1], indexing="ij")[1],
    "unique": lambda x: torch.unique(x.round(), return_counts=True)[1],
    "einsum": lambda x: torch.einsum("bcij,bcjk->bik", [x, x]),
    "norm": lambda x: torch.norm(x, dim=1),
    "split": lambda x: torch.split(x, 2, dim=1)[1],
}
"""Written in Python, of several functions that ask whether a mode is active."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_several_are_torch_s(name: str) -> None:
    x = torch.linspace(-1, 1, 128).sin().reshape(2, 4, 4, 4)
    with ReplicaFunctions(NoiseStream(torch.tensor(0))):
        found = FUNCTIONS[name](x)
    assert torch.equal(found, FUNCTIONS[name](x))


def test_fractional_pooling_draws_from_the_replica_s_stream() -> None:
    x = torch.arange(1024.0).reshape(1, 4, 16, 16)
    draws = []
    for key, outer in ((0, 0), (0, 1), (1, 0)):
        torch.manual_seed(outer)
        with ReplicaFunctions(NoiseStream(torch.tensor(key))):
            draws.append(functional.fractional_max_pool2d(x, 2, output_size=7))
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
