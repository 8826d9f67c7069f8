"""What an optimizer draws is the replica's own: no seed, company or interruption changes it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial_steps import advance, stored
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.streams import Purpose, Stream, keys_of
from tests.engine.optimizers.asking import NoisyStep, UnseededStep
from tests.engine.optimizers.stepping import RECIPE, REPLICAS, Named, draws, needs_of
from tests.engine.optimizing import torch_optimizer, with_optimizer

NOISY = torch_optimizer(NoisyStep)
SEEDS = [7, 2**40, 3, 11, 5, 9]


def noisy(stacked: Named, seeds: list[int]) -> ReplicaOptimizer:
    return ReplicaOptimizer(NOISY, RECIPE, stacked, needs_of(NOISY), keys=keys_of(seeds))


def seeded(seed: int, step: int) -> None:
    """The generators as they are for one replica and step, by hand."""
    low, high = Stream.from_seed(seed, Purpose.OPTIMIZER, step).words(2).tolist()
    seed_everything(low + high * 2**32)


def test_it_is_found_out_and_the_caller_keeps_every_generator() -> None:
    before = GlobalRandomState.now()
    found = needs_of(torch_optimizer(NoisyStep))
    assert found.draws and found.resumes and found.loop_reason == "its step draws random numbers"
    assert not before.moved()


def test_each_step_draws_from_the_stream_of_seed_and_step() -> None:
    start, gradients = draws()
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    advance(noisy(stacked, SEEDS), stacked, gradients)
    state = GlobalRandomState.now()
    for r in range(REPLICAS):
        own = {name: tensor[r].clone() for name, tensor in start.items()}
        seeded(SEEDS[r], 0)
        offsets = {name: torch.randn(p.shape) for name, p in own.items()}
        for step, found in enumerate(gradients, start=1):
            seeded(SEEDS[r], step)
            for name, p in own.items():
                noise = torch.randn(p.shape) + np.random.normal() + random.random()
                p.sub_(RECIPE.lr * (found[name][r] + noise + offsets[name]))
        for name, p in own.items():
            torch.testing.assert_close(stacked[name][r], p)
    state.restore()


def test_it_goes_on_from_a_checkpoint_to_the_same_bits() -> None:
    start, gradients = draws()
    through, halved = ({n: t.clone() for n, t in start.items()} for _ in range(2))
    advance(noisy(through, SEEDS), through, gradients)
    first = noisy(halved, SEEDS)
    advance(first, halved, gradients[:3])
    second = noisy(halved, SEEDS)
    second.load_state_dict(stored(first))
    advance(second, halved, gradients[3:])
    for name, tensor in through.items():
        assert torch.equal(halved[name], tensor)


def test_trained_weights_depend_on_the_replicas_train_seed_alone(
    small_cell: Cell, tmp_path: Path
) -> None:
    cell = with_optimizer(small_cell, NOISY, lr=0.01)
    protocol = cell.protocol.model_copy(
        update={"budget": 320, "until": "budget", "resolution": 0.5}
    )

    def weights(seeds: list[ReplicaSeeds], width: int, seed: int) -> Named:
        torch.default_generator.manual_seed(seed)
        block = Block(0, tuple(seeds), width)
        return train_block(
            replace(cell, protocol=protocol),
            block,
            TrainerOptions("cpu"),
            BY_DEFAULT,
            tmp_path / "none",
        ).weights

    same = [ReplicaSeeds.same(seed) for seed in range(4)]
    with torch.random.fork_rng(devices=[]):
        everyone, some = weights(same, 4, seed=1), weights([same[3], same[1]], 2, seed=2)
    for name, tensor in everyone.items():
        assert torch.equal(tensor[3], some[name][0]) and torch.equal(tensor[1], some[name][1])
        assert tensor.isfinite().all() and not torch.equal(tensor[0], tensor[1])


def test_numbers_that_nothing_can_seed_are_refused() -> None:
    with pytest.raises(ModelError, match="steps otherwise when it is built again; draw from"):
        needs_of(torch_optimizer(UnseededStep))
