"""Data drawn on a GPU are those drawn on CPU, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

import synthbench as sb
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import draw_batches, draw_worlds
from synthbench.engine.data.training_data import train_sets, training_data
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, exact, keys_of, noise_keys
from synthbench.streams.gamma import log_gamma_draws
from tests.cuda.cells import ON_GPU, cell_of

pytestmark = ON_GPU
TASKS = (
    "sparse-parity n=40 k=3 noise=0.1",
    "markov symbols=2 length=32 last=8",
    "markov symbols=3 length=50",
    "markov symbols=8 length=50",
    "markov symbols=2 length=50 order=2",
    "markov symbols=2 length=32 last=8 prior=doubly-stochastic",
    "markov symbols=3 length=32 last=8 prior=doubly-stochastic",
    "induction-copying symbols=8 length=64",
    *(f"{name} small" for name in installed().bundled(TASK)),
)
DRAWS: dict[str, Callable[[Stream], Tensor]] = {
    "words": lambda rng: rng.words(1001),
    "bits": lambda rng: rng.bits((33, 7)),
    "signs": lambda rng: rng.signs((33, 7)),
    "integers": lambda rng: rng.integers(1000, (999,)),
    "uniform": lambda rng: rng.uniform((999,)),
    "bernoulli": lambda rng: rng.bernoulli(0.3, (999,)),
    "normal": lambda rng: rng.normal((9999,)),
    "exponential": lambda rng: rng.exponential((9999,)),
    "dirichlet": lambda rng: rng.dirichlet(0.5, (999, 5)),
    "permutation": lambda rng: rng.permutation(100, (9,)),
    "choice": lambda rng: rng.choice(100, 7, (9,)),
}


def assert_equal(found: object, expected: object) -> None:
    pairs = list(zip(tree_leaves(found), tree_leaves(expected), strict=True))
    assert pairs
    for own, other in pairs:
        # Places without a value hold NaN.
        torch.testing.assert_close(own.cpu(), other.cpu(), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", DRAWS)
def test_every_kind_of_draw(name: str, gpu: torch.device) -> None:
    key = keys_of([7])[0]
    drawn = [DRAWS[name](Stream(each, Purpose.TRAIN, 3)) for each in (key, key.to(gpu))]
    assert drawn[1].is_cuda
    assert_equal(drawn[1], drawn[0])


PARTS: dict[str, Callable[[Tensor], Tensor]] = {
    "log": exact.log,
    "exp": lambda p: exact.exp(100 * p - 50),
    "normal quantile": exact.normal_quantile,
    "polynomial": lambda p: exact.polynomial(p, exact.CENTRAL_NUMERATOR),
    "ordered sum": lambda p: exact.ordered_sum(p.reshape(-1, 5)),
    "quotient": lambda p: p / p.flip(0),
    "root": exact.sqrt,
    "cube": lambda p: p * p * p,
    "first of several": lambda p: (p.reshape(-1, 5) > 0.5).to(torch.int64).argmax(dim=1),
    "gamma, shape 0.5": lambda p: log_gamma_draws(lambda count: p[:count], 0.5, len(p) // 8),
    "gamma, shape 2": lambda p: log_gamma_draws(lambda count: p[:count], 2.0, len(p) // 8),
}
"""What draws are made of; all in float64."""


@pytest.mark.parametrize("part", PARTS)
def test_what_draws_are_made_of(part: str, gpu: torch.device) -> None:
    """From the same numbers on both sides, which tells a wrong part from a wrong draw."""
    p = Stream.from_seed(7, Purpose.TRAIN).open_uniform(80_000)
    assert_equal(PARTS[part](p.to(gpu)), PARTS[part](p))


def trained_on(task: sb.Task, worlds: object, keys: Tensor) -> object:
    """Fresh samples, or the finite set of a task that has no others."""
    if type(task).train_set is not sb.Task.train_set:
        return train_sets(task, worlds)
    return draw_batches(task, worlds, keys, Purpose.TRAIN, range(5, 8), 32)


@pytest.mark.parametrize("reference", TASKS)
def test_worlds_batches_and_test_sets(reference: str, gpu: torch.device) -> None:
    task, protocol = installed().task(reference), cell_of("mlp").protocol
    found = []
    for keys in (keys_of(list(range(6))), keys_of(list(range(6))).to(gpu)):
        worlds = draw_worlds(task, keys)
        batches = trained_on(task, worlds, keys)
        held_out = [list(each.batches(worlds, keys, protocol)) for each in held_out_sets(task)]
        found.append((worlds, batches, held_out, noise_keys(keys, range(4))))
    assert_equal(found[1], found[0])


def test_batches_of_a_finite_training_set(gpu: torch.device) -> None:
    cell = cell_of("mlp", train_samples=96)
    found = []
    for keys in (keys_of([1, 2, 3]), keys_of([1, 2, 3]).to(gpu)):
        worlds = draw_worlds(cell.task, keys)
        found.append(training_data(cell, worlds, keys).batches(range(2, 9), 32))
    assert_equal(found[1], found[0])
