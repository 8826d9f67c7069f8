"""A stream is a function of (seed, purpose, step) and of nothing else."""

from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthbench.engine.data.sampling import draw_batches, draw_worlds
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, keys_of, seed_word

SEEDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6, unique=True)
TASK = installed().task("sparse-parity n=9 k=3 noise=0.1")


def batches(seeds: list[int], steps: range) -> tuple[torch.Tensor, torch.Tensor]:
    keys = keys_of(seeds)
    batch = draw_batches(TASK, draw_worlds(TASK, keys), keys, Purpose.TRAIN, steps, 8)
    return batch.x, batch.y


@given(seeds=SEEDS, start=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_a_replica_draws_the_same_alone_and_in_company(seeds: list[int], start: int) -> None:
    x, y = batches(seeds, range(start, start + 3))
    for r, seed in enumerate(seeds):
        alone_x, alone_y = batches([seed], range(start, start + 3))
        assert torch.equal(x[:, r], alone_x[:, 0]) and torch.equal(y[:, r], alone_y[:, 0])


@given(cuts=st.sets(st.integers(1, 11)))
@settings(max_examples=30, deadline=None)
def test_data_do_not_depend_on_how_steps_are_blocked(cuts: set[int]) -> None:
    whole_x, whole_y = batches([3, 4], range(12))
    parts = [batches([3, 4], range(a, b)) for a, b in pairwise([0, *sorted(cuts), 12])]
    assert torch.equal(torch.cat([x for x, _ in parts]), whole_x)
    assert torch.equal(torch.cat([y for _, y in parts]), whole_y)


def test_the_engine_draws_what_an_author_draws_by_hand() -> None:
    x, y = batches([11], range(5, 6))
    world = TASK.world(Stream.from_seed(11, Purpose.WORLD))
    by_hand = TASK.sample(world, Stream.from_seed(11, Purpose.TRAIN, step=5), 8)
    assert torch.equal(x[0, 0], by_hand.x) and torch.equal(y[0, 0], by_hand.y)


def test_seeds_purposes_steps_and_calls_give_different_numbers() -> None:
    streams = [
        Stream.from_seed(seed, purpose, step)
        for seed in (0, 1, 2**32)
        for purpose in Purpose
        for step in (0, 1, 2**32 - 1)
    ]
    draws = [tuple(s.words(4).tolist()) for s in streams for _ in range(2)]
    assert len(set(draws)) == len(draws)


def test_a_call_does_not_depend_on_how_much_an_earlier_one_drew() -> None:
    first, second = (Stream.from_seed(1, Purpose.EVAL) for _ in range(2))
    first.words(3)
    second.words(300)
    assert torch.equal(first.normal((5,)), second.normal((5,)))


def test_seed_word_is_a_64_bit_number_of_the_seed() -> None:
    words = {seed_word(seed, Purpose.INIT) for seed in range(100)}
    assert len(words) == 100 and max(words) > 2**60 and max(words) < 2**64
