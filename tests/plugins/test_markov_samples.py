"""Samples of the Markov tasks, to the bit: those of earlier versions, and those of a plain loop.

`pytest -m slow` records those of more symbols too; the laws of tasks ask it of chains of order 1.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

import synthbench as sb
from synthbench.engine.data.sampling import draw_batches, draw_worlds
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, keys_of
from synthbench_markov.packed_maps import PackedMaps, composed, path
from synthbench_markov.walk import thresholds
from tests.streams.digest import digest

SEEDS = [3, 2**63 + 5, 17]
EARLIER = {
    "markov": "70f3764e2aed9d5f",
    "markov symbols=3 length=32": "5fa29c69a3ac8aed",
    "markov order=2 length=32": "4c5552504fb985f8",
    "markov order=3 length=33": "6acfd04b7ad26147",
    "markov symbols=3 order=2 length=20": "20ae9a63504fd748",
    "markov symbols=4 length=12": "28368ac867242280",
    "markov symbols=4 order=2 length=10": "4b394329562a3c4a",
    "markov symbols=5 order=2 length=10": "979fb2ca0320c250",
    "markov symbols=16 length=12": "7133bcf2127dc1b6",
    "markov symbols=7 length=2 last=2": "e4e837c1638c8c26",
    "markov prior=doubly-stochastic": "e5d6e4ed6272a768",
    "markov prior=doubly-stochastic symbols=5 length=31": "c8c2a20ff1e4812f",
    "markov prior=unigram symbols=4 length=40": "57a5abe7cee63744",
    "markov prior=fixed symbols=3 order=2 length=10": "5616e02bf7f7f379",
    "markov prior=fixed p=0.2 q=0.3": "ad13b65793cc3964",
    "markov alpha=0.3": "cd97286bace0998d",
    "markov alpha=5 symbols=3 order=2 length=20": "f93d142d667f7e55",
    "markov start=uniform symbols=6 length=25": "86c87100255f67d8",
    "induction-copying symbols=4 length=16": "046afecc8b18483e",
    "induction-copying symbols=100 length=64": "f25bd18248f87029",
}


def leaves(batch: sb.Batch) -> list[Tensor]:
    return [batch.x, batch.y, *(batch.latents[name] for name in sorted(batch.latents or {}))]


@pytest.mark.parametrize("reference", EARLIER)
def test_samples_are_those_of_earlier_versions(reference: str) -> None:
    """Records hold hashes of the data: what was drawn once is drawn for ever."""
    task, keys = installed().task(reference), keys_of(SEEDS)
    worlds = draw_worlds(task, keys)
    training = draw_batches(task, worlds, keys, Purpose.TRAIN, range(999, 1002), 16)
    held_out = draw_batches(task, worlds, keys, Purpose.EVAL, range(2**31, 2**31 + 1), 33)
    assert digest(leaves(training) + leaves(held_out)) == EARLIER[reference]


@pytest.mark.parametrize(
    "fields",
    ["length=10", "symbols=3 order=2 length=8 last=8", "symbols=5 order=2 length=3 last=1"],
)
def test_a_sequence_is_walked_from_the_streams_words(fields: str) -> None:
    task = installed().task(f"markov {fields} prior=fixed start=stationary")
    world = task.world(Stream.from_seed(1, Purpose.WORLD))
    size, kept = 4, task.length + 1
    batch = task.sample(world, Stream.from_seed(1, Purpose.TRAIN, 6), size)
    rng, steps = Stream.from_seed(1, Purpose.TRAIN, 6), thresholds(world).tolist()
    if task.order == 1:
        # The start is drawn from the chain's law, which has tests of its own.
        rng.words(size)
        states, length = [[first] for first in batch.x[:, 0].tolist()], task.length
    else:
        states = [[first] for first in rng.integers(task.contexts, (size,)).tolist()]
        length = 256 + kept
    for row, words in zip(states, rng.words(size * length).reshape(size, -1).tolist(), strict=True):
        for word in words:
            drawn = sum(word >= threshold for threshold in steps[row[-1]])
            row.append((row[-1] * task.symbols + drawn) % task.contexts)
    walked = torch.tensor(states)[:, -kept:]
    assert torch.equal(batch.latents["context"], walked[:, :-1])
    assert torch.equal(batch.x, walked[:, :-1] % task.symbols)
    assert torch.equal(batch.y, walked[:, 1:] % task.symbols)


@pytest.mark.parametrize(
    "reference",
    [
        "markov order=2 length=5 last=5",
        pytest.param("markov symbols=5 length=17", marks=pytest.mark.slow),
        "induction-copying",
    ],
)
def test_recorded_samples_are_those_of_a_replica_alone(reference: str) -> None:
    task = installed().task(reference)

    def draw(key: Tensor, step: Tensor) -> list[Tensor]:
        world = task.world(Stream(key, Purpose.WORLD))
        return leaves(task.sample(world, Stream(key, Purpose.TRAIN, step), 6))

    steps, later = torch.tensor([5, 5, 8]), torch.tensor([6, 7, 2**32 - 1])
    recorded = make_fx(torch.vmap(draw))(keys_of([1, 2, 3]), steps)
    replayed = recorded(keys_of(SEEDS), later)
    for r, seed in enumerate(SEEDS):
        alone = draw(keys_of([seed])[0], later[r])
        assert all(torch.equal(a[r], b) for a, b in zip(replayed, alone, strict=True))


@pytest.mark.parametrize("contexts", [2, 3, 4, 5, 16])
@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_packed_maps_compose_like_functions(contexts: int, length: int) -> None:
    rng = Stream.from_seed(length, Purpose.TRAIN)
    tables = rng.integers(contexts, (contexts, 7, length))
    maps, start = PackedMaps.pack(list(tables)), rng.integers(contexts, (7,))
    expected = torch.zeros(length, 7, dtype=torch.int64)
    whole = torch.zeros(contexts, 7, dtype=torch.int64)
    for chain in range(7):
        steps = tables[:, chain].T.tolist()
        states = itertools.accumulate(steps, lambda at, map_: map_[at], initial=int(start[chain]))
        expected[:, chain] = torch.tensor(list(states)[1:])
        for context in range(contexts):
            at = context
            for map_ in steps:
                at = map_[at]
            whole[context, chain] = at
    assert torch.equal(path(maps, start).long(), expected)
    together = composed(maps)
    for context in range(contexts):
        image = together.images(torch.full((7,), context))
        assert torch.equal(image.long(), whole[context, None])


def test_more_contexts_than_a_number_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 16 contexts can be packed, got 17"):
        PackedMaps.pack([torch.zeros(1, 1, dtype=torch.uint8)] * 17)
