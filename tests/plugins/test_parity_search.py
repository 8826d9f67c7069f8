"""Classical searches for a parity: against enumeration, formulas, and what a network is given."""

from __future__ import annotations

from itertools import combinations, product
from math import isinf

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.engine.data.drawing import Drawing
from synthbench.streams.philox import seed_to_key
from synthbench.testing import check_measurement
from synthbench_parity.bits import Samples, packed, subsets, sums
from synthbench_parity.bkw import bkw, walsh
from synthbench_parity.brute_force import brute_force
from synthbench_parity.classical import full_rank
from synthbench_parity.elimination import elimination
from synthbench_parity.meet_in_the_middle import meet_in_the_middle
from synthbench_parity.parity_search import ParitySearch
from synthbench_parity.searches import ALGORITHMS
from synthbench_parity.task import SparseParity


def drawn(n: int, k: int, m: int, noise: float = 0.0, seed: int = 0) -> Samples:
    samples = Samples(SparseParity(n=n, k=k, noise=noise), seed, 32)
    samples.first(m)
    return samples


def consistent(x: np.ndarray, y: np.ndarray, supports: list[tuple[int, ...]]) -> list[tuple]:
    return [s for s in supports if ((x[:, list(s)].sum(1) + y) % 2 == 0).all()]


def test_samples_are_those_that_a_network_is_trained_on() -> None:
    task = SparseParity(n=7, k=2, noise=0.2)
    world = task.world(sb.Stream.from_seed(3, sb.Purpose.WORLD))
    keys = torch.tensor([seed_to_key(3)], dtype=torch.int64)
    batches = Drawing(task).draw(world[None], keys, range(3), 5)
    x, y = Samples(task, 3, 5).first(15)
    assert (x == (batches.x.reshape(15, 7).numpy() < 0)).all()
    assert (y == (batches.y.reshape(15).numpy() < 0)).all()
    assert Samples(task, 3, 5).support == tuple(sorted(world.tolist()))


def test_sums_of_packed_columns() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (70, 6)).astype(np.uint8)
    chosen = subsets(6, 3)
    assert [tuple(each) for each in chosen] == list(combinations(range(6), 3))
    found = np.unpackbits(sums(packed(bits), chosen).view(np.uint8), axis=1)[:, :70]
    assert (found == bits[:, chosen].sum(axis=2).T % 2).all()


@pytest.mark.parametrize("k", [2, 3, 4])
def test_brute_force_and_meeting_halves_find_what_enumeration_finds(k: int) -> None:
    every = list(combinations(range(8), k))
    for seed, m in product(range(5), range(1, 14)):
        x, y = drawn(8, k, m, seed=seed).first(m)
        left = consistent(x, y, every)
        only = left[0] if len(left) == 1 else None
        assert brute_force(x, y, k).support == only
        assert meet_in_the_middle(x, y, k).support == only


def test_brute_force_is_the_most_likely_support_under_noise() -> None:
    samples = drawn(8, 2, 30, noise=0.2)
    x, y = samples.first(30)
    errors = {s: int(((x[:, list(s)].sum(1) + y) % 2).sum()) for s in combinations(range(8), 2)}
    best = [s for s, count in errors.items() if count == min(errors.values())]
    assert brute_force(x, y, 2).support == (best[0] if len(best) == 1 else None)
    assert brute_force(x, y, 2).operations == 28 * 2 * 30


def test_elimination_solves_the_equations() -> None:
    every = [s for size in range(7) for s in combinations(range(6), size)]
    for seed, m, noise in product(range(6), range(3, 10), (0.0, 0.3)):
        x, y = drawn(6, 3, m, noise, seed).first(m)
        left = consistent(x, y, every)
        answer = elimination(x, y, 3)
        assert answer.support == (left[0] if len(left) == 1 else None)
        assert answer.is_final == (not left)


def test_elimination_needs_the_rank_that_theory_says() -> None:
    solved = [elimination(*drawn(12, 3, 13, seed=s).first(13), 3).support for s in range(200)]
    share = np.mean([support is not None for support in solved])
    assert share == pytest.approx(full_rank(13, 12), abs=0.1)


def test_walsh_transform() -> None:
    values = np.random.default_rng(0).normal(size=16)
    signs = [[(-1) ** bin(u & v).count("1") for v in range(16)] for u in range(16)]
    assert walsh(values) == pytest.approx(np.array(signs) @ values)


def test_bkw_finds_any_parity_with_noise() -> None:
    """Blocks of 5 of 10 coordinates: 400 samples leave hundreds of sums of two labels each."""
    for seed, k in product(range(4), (1, 5, 9)):
        samples = drawn(10, k, 400, noise=0.1, seed=seed)
        assert bkw(*samples.first(400), k).support == samples.support


@pytest.mark.parametrize("name", ALGORITHMS)
def test_with_many_samples_every_search_is_right(name: str) -> None:
    for seed in range(3):
        samples = drawn(10, 4, 600, seed=seed)
        assert ALGORITHMS[name](*samples.first(600), 4).support == samples.support


def test_what_is_measured() -> None:
    (row,) = ParitySearch(n=10, k=3).measure([4])
    samples = drawn(10, 3, 64, seed=4)
    m = int(row["samples"])
    assert row["found"] == 1 and row["operations"] == 120 * 3 * m
    assert brute_force(*samples.first(m), 3).support == samples.support
    earlier = [brute_force(*samples.first(c), 3).support for c in range(2, m)]
    assert samples.support not in earlier
    (never,) = ParitySearch(algorithm="elimination", n=16, noise=0.4).measure([0])
    assert never["found"] == 0 and isinf(never["samples"]) and isinf(never["operations"])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_laws(name: str) -> None:
    check_measurement(ParitySearch(algorithm=name, n=9))


def test_a_support_has_to_fit() -> None:
    with pytest.raises(ValueError, match="k must be at most n=3"):
        ParitySearch(n=3, k=4)
