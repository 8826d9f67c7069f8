"""Each distribution against scipy; fixed seeds, so that a failure is a change, not bad luck."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from synthbench.streams import Purpose, Stream
from synthbench.streams.gamma import log_gamma_draws

COUNT = 40_000
THRESHOLD = 1e-3


def stream(seed: int = 7) -> Stream:
    return Stream.from_seed(seed, Purpose.TRAIN)


def test_words_are_uniform_over_32_bits() -> None:
    words = stream().words(COUNT).numpy()
    assert words.min() >= 0 and words.max() < 2**32
    assert stats.kstest(words / 2**32, "uniform").pvalue > THRESHOLD


def test_bits_and_signs_are_fair_and_unrelated() -> None:
    bits = stream().bits((COUNT // 40, 40)).numpy()
    signs = stream().signs((COUNT // 40, 40)).numpy()
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert np.array_equal(signs, 2 * bits - 1)
    assert stats.binomtest(int(bits.sum()), bits.size).pvalue > THRESHOLD
    correlation = (signs.T @ signs / len(signs))[np.triu_indices(40, 1)]
    assert stats.kstest(correlation * math.sqrt(len(signs)), "norm").pvalue > THRESHOLD


@pytest.mark.parametrize("high", [1, 2, 3, 10, 97])
def test_integers_are_uniform(high: int) -> None:
    counts = np.bincount(stream().integers(high, (COUNT,)).numpy(), minlength=high)
    assert len(counts) == high
    assert high == 1 or stats.chisquare(counts).pvalue > THRESHOLD


def test_integers_have_no_modulo_bias() -> None:
    # With `word % high` the lower third of this range would be twice as likely.
    high = 3 * 2**29
    values = stream().integers(high, (COUNT,)).numpy()
    assert values.max() < high
    assert stats.kstest(values / high, "uniform").pvalue > THRESHOLD


@pytest.mark.parametrize("high", [0, -1, 2**31 + 1])
def test_integers_refuse_a_bad_range(high: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 2\\^31"):
        stream().integers(high, (2,))


def test_uniform_is_uniform_below_one() -> None:
    values = stream().uniform((COUNT,)).numpy()
    assert values.dtype == np.float32 and values.min() >= 0 and values.max() < 1
    assert stats.kstest(values, "uniform").pvalue > THRESHOLD


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_bernoulli_has_its_probability(probability: float) -> None:
    hits = int(stream().bernoulli(probability, (COUNT,)).sum())
    if probability in (0.0, 1.0):
        assert hits == probability * COUNT
    else:
        assert stats.binomtest(hits, COUNT, probability).pvalue > THRESHOLD


def test_normal_is_standard_normal() -> None:
    values = stream().normal((COUNT // 2, 2)).numpy()
    assert stats.kstest(values.ravel(), "norm").pvalue > THRESHOLD
    assert abs(np.corrcoef(values.T)[0, 1]) < 4 / math.sqrt(COUNT // 2)


def test_exponential_is_standard_exponential() -> None:
    values = stream().exponential((COUNT,)).numpy()
    assert values.min() > 0
    assert stats.kstest(values, "expon").pvalue > THRESHOLD


def test_choice_is_uniform_over_subsets() -> None:
    n, k, draws = 6, 3, 6_000
    keys = torch.stack([torch.arange(draws), torch.zeros(draws, dtype=torch.int64)], 1)
    subsets = torch.vmap(lambda key: Stream(key, Purpose.WORLD).choice(n, k))(keys)
    assert (subsets[:, 1:] > subsets[:, :-1]).all()
    codes = (2**subsets).sum(1)
    counts = np.unique(codes.numpy(), return_counts=True)[1]
    assert len(counts) == math.comb(n, k)
    assert stats.chisquare(counts).pvalue > THRESHOLD


def test_permutation_is_uniform() -> None:
    draws = 6_000
    keys = torch.stack([torch.arange(draws), torch.ones(draws, dtype=torch.int64)], 1)
    orders = torch.vmap(lambda key: Stream(key, Purpose.WORLD).permutation(4))(keys)
    codes = (orders * torch.tensor([64, 16, 4, 1])).sum(1)
    counts = np.unique(codes.numpy(), return_counts=True)[1]
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > THRESHOLD


def test_choice_of_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot choose k=4 distinct integers out of n=3"):
        stream().choice(3, 4)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, 1.5, 10.0])
def test_dirichlet_margins_are_beta(alpha: float) -> None:
    values = stream().dirichlet(alpha, (COUNT // 2, 3)).numpy()
    assert values.sum(1) == pytest.approx(np.ones(COUNT // 2))
    for column in values.T:
        assert stats.kstest(column, "beta", args=(alpha, 2 * alpha)).pvalue > THRESHOLD


def test_gamma_draws_of_tiny_shapes_do_not_vanish() -> None:
    logs = log_gamma_draws(stream().open_uniform, 0.01, COUNT).numpy()
    assert np.isfinite(logs).all() and logs.min() < -700
    # P(ln G < -t) is close to exp(-alpha t) / Gamma(alpha + 1) far down.
    assert (logs < -100).mean() == pytest.approx(stats.gamma.cdf(np.exp(-100), 0.01), abs=0.01)
    with pytest.raises(ValueError, match="alpha must be between"):
        stream().dirichlet(0.001, (2, 2))
