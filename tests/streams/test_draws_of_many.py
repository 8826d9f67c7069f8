"""Permutations and subsets by the batch, classes, and splits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from synthbench.streams import Purpose, Stream, keys_of

COUNT = 20_000
THRESHOLD = 1e-3
SEEDS = [0, 3, 2**40]


def stream(seed: int = 7) -> Stream:
    return Stream.from_seed(seed, Purpose.WORLD)


def over_seeds(draw) -> tuple[list[Tensor], list[Tensor]]:
    """What a draw gives for some seeds under vmap, and one by one."""
    together = torch.vmap(lambda key: draw(Stream(key, Purpose.WORLD)))(keys_of(SEEDS))
    leaves = together if isinstance(together, tuple) else (together,)
    alone = [draw(stream(seed)) for seed in SEEDS]
    singles = [each if isinstance(each, tuple) else (each,) for each in alone]
    return list(leaves), [torch.stack(each) for each in zip(*singles, strict=True)]


def first_sides(n: int, train: int, strata: Tensor | None = None) -> list[list[int]]:
    """The trained sides of 3,000 splits: three, one after the other, of each of 1,000 seeds."""

    def thrice(key: Tensor) -> Tensor:
        rng = Stream(key, Purpose.WORLD)
        return torch.stack([rng.split(n, train, strata)[0] for _ in range(3)])

    return torch.vmap(thrice)(keys_of(list(range(1000)))).flatten(0, 1).tolist()


def test_draws_of_one_are_those_of_earlier_versions() -> None:
    rng = stream()
    assert rng.permutation(9).tolist() == [3, 1, 8, 5, 6, 7, 2, 0, 4]
    assert rng.choice(20, 5).tolist() == [4, 6, 8, 9, 17]
    assert rng.permutation(3).tolist() == [2, 0, 1]
    assert rng.words(1).tolist() == [62719682]


def test_every_permutation_of_a_batch_is_equally_likely() -> None:
    drawn = stream().permutation(4, (COUNT // 50, 50))
    assert drawn.shape == (COUNT // 50, 50, 4)
    counts = {p: 0 for p in itertools.permutations(range(4))}
    for each in drawn.reshape(-1, 4).tolist():
        counts[tuple(each)] += 1
    assert stats.chisquare(list(counts.values())).pvalue > THRESHOLD


def test_every_subset_of_a_batch_is_equally_likely() -> None:
    drawn = stream().choice(6, 3, (COUNT,))
    counts = {c: 0 for c in itertools.combinations(range(6), 3)}
    for each in drawn.tolist():
        counts[tuple(each)] += 1
    assert len(counts) == math.comb(6, 3)
    assert stats.chisquare(list(counts.values())).pvalue > THRESHOLD


def test_the_members_of_a_batch_are_unrelated() -> None:
    first, second = stream().permutation(5, (COUNT, 2))[..., 0].T.numpy()
    table = np.zeros((5, 5))
    np.add.at(table, (first, second), 1)
    assert stats.chi2_contingency(table).pvalue > THRESHOLD


def test_classes_have_their_probabilities() -> None:
    probabilities = torch.tensor([0.1, 0.0, 0.25, 0.65])
    drawn = stream().categorical(probabilities, (COUNT // 4, 4))
    counts = np.bincount(drawn.reshape(-1).numpy(), minlength=4)
    assert drawn.dtype == torch.int64 and counts[1] == 0
    kept = [0, 2, 3]
    expected = COUNT * probabilities.double().numpy()[kept]
    expected *= COUNT / expected.sum()
    assert stats.chisquare(counts[kept], expected).pvalue > THRESHOLD


def test_each_class_is_drawn_from_its_own_probabilities() -> None:
    rows = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5], [0, 0, 1]])
    drawn = stream().categorical(rows, (1000, 3))
    assert (drawn[:, 0] == 0).all() and (drawn[:, 2] == 2).all()
    assert stats.binomtest(int((drawn[:, 1] == 1).sum()), 1000).pvalue > THRESHOLD


@pytest.mark.parametrize("k", [1, 3, 7, 1000])
def test_what_rounding_leaves_over_goes_to_a_class_that_can_occur(k: int) -> None:
    # The parts of 1/k do not add up to 2^32, and the class after them can never occur.
    probabilities = torch.cat([torch.full((k,), 1 / k), torch.zeros(1)])

    class Extreme(Stream):
        def words(self, count: int) -> Tensor:
            return torch.tensor([0, 2**32 - 1])[:count]

    rng = Extreme.from_seed(0, Purpose.WORLD)
    assert rng.categorical(probabilities, (2,)).tolist() == [0, k - 1]


def test_the_thresholds_are_those_of_bernoulli() -> None:
    for p in (0.1, 1 / 3, 0.5, 2**-20):
        drawn = stream().categorical(torch.tensor([p, 1 - p], dtype=torch.float64), (COUNT,))
        assert torch.equal(drawn == 0, stream().bernoulli(p, (COUNT,)))


@pytest.mark.parametrize("train", [0.3, 7])
def test_a_split_has_every_row_once(train: float) -> None:
    kept, others = stream().split(24, train)
    assert len(kept) == 7 and sorted([*kept.tolist(), *others.tolist()]) == list(range(24))
    assert others.tolist() == sorted(others.tolist()) and kept.dtype == torch.int64


def test_every_split_is_equally_likely() -> None:
    counts = {c: 0 for c in itertools.combinations(range(5), 2)}
    for rows in first_sides(5, 2):
        counts[tuple(sorted(rows))] += 1
    assert stats.chisquare(list(counts.values())).pvalue > THRESHOLD


@pytest.mark.parametrize("strata", [None, torch.tensor([0, 0, 0, 0, 1, 1])])
def test_the_first_rows_of_the_trained_side_are_a_sample_of_it(strata: torch.Tensor | None) -> None:
    """Whoever trains on fewer rows takes the first: each of the six is as likely to be there."""
    counts = np.bincount([rows[0] for rows in first_sides(6, 3, strata)], minlength=6)
    assert stats.chisquare(counts).pvalue > THRESHOLD


def test_strata_keep_their_proportions_by_largest_remainder() -> None:
    strata = torch.tensor([0] * 5 + [2] * 3 + [0] * 4 + [3] * 8)
    kept, others = stream().split(20, 7, strata)
    # 7 (9, 0, 3, 8) / 20 = 3.15, 0, 1.05, 2.8.
    assert torch.bincount(strata[kept], minlength=4).tolist() == [3, 0, 1, 3]
    assert sorted([*kept.tolist(), *others.tolist()]) == list(range(20))


def test_every_split_of_strata_is_equally_likely() -> None:
    strata = torch.tensor([0, 1, 0, 1, 1, 0])
    pairs = itertools.product([0, 2, 5], [1, 3, 4])
    counts = {tuple(sorted(pair)): 0 for pair in pairs}
    for rows in first_sides(6, 2, strata):
        counts[tuple(sorted(rows))] += 1
    assert stats.chisquare(list(counts.values())).pvalue > THRESHOLD


@pytest.mark.parametrize("train", [0, 10, 0.0, 1.0, 0.01, -1])
def test_a_side_without_rows_is_refused(train: float) -> None:
    with pytest.raises(ValueError, match="a number of rows from 1 to 9"):
        stream().split(10, train)


def test_strata_must_be_constants_and_classes() -> None:
    with pytest.raises(ValueError, match="the same in every replica"):
        over_seeds(lambda rng: rng.split(10, 0.5, rng.integers(2, (10,))))
    with pytest.raises(ValueError, match="one class for each of n=10 rows"):
        stream().split(10, 0.5, torch.zeros(9, dtype=torch.int64))
    with pytest.raises(ValueError, match="must be classes 0, 1"):
        stream().split(2, 1, torch.tensor([0, -1]))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.permutation(9, (4, 2)),
        lambda rng: rng.choice(9, 3, (5,)),
        lambda rng: rng.choice(9, 3),
        lambda rng: rng.categorical(torch.tensor([0.2, 0.8]), (3, 4)),
        lambda rng: rng.categorical(rng.dirichlet(0.5, (4, 3)), (6, 4)),
        lambda rng: rng.split(20, 0.25),
        lambda rng: rng.split(20, 0.25, torch.arange(20) % 3),
    ],
)
def test_vmapped_is_looped_to_the_bit(draw) -> None:
    together, alone = over_seeds(draw)
    assert all(torch.equal(a, b) for a, b in zip(together, alone, strict=True))
