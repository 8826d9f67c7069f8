"""Torch's random functions, answered from a replica's stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.engine.axis.randomness.draws import DRAWS
from synthbench.streams import NoiseStream

X = torch.linspace(-2, 2, 60).reshape(3, 4, 5)

CALLS: dict[str, Callable[[Tensor], Tensor]] = {
    "dropout": lambda x: F.dropout(x, 0.4),
    "dropout in place": lambda x: F.dropout(x.clone(), 0.4, inplace=True),
    "dropout module": lambda x: nn.Dropout(0.4)(x),
    "dropout1d": lambda x: F.dropout1d(x, 0.4),
    "dropout2d": lambda x: F.dropout2d(x[None], 0.4),
    "alpha dropout": lambda x: F.alpha_dropout(x, 0.4, training=True),
    "feature alpha dropout": lambda x: F.feature_alpha_dropout(x, 0.4, training=True),
    "native dropout": lambda x: torch.native_dropout(x, 0.4, True)[0],
    "rrelu": lambda x: F.rrelu(x, training=True),
    "rrelu in place": lambda x: F.rrelu(x.clone(), training=True, inplace=True),
    "gumbel": lambda x: F.gumbel_softmax(x, hard=True),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x, dropout_p=0.4),
    "causal attention": lambda x: F.scaled_dot_product_attention(x, x, x, None, 0.4, True),
    "rand": lambda x: x + torch.rand(5),
    "rand size": lambda x: x + torch.rand(size=(5,), dtype=torch.float32),
    "randn": lambda x: x + torch.randn((4, 5)),
    "rand_like": lambda x: x + torch.rand_like(x),
    "randn_like": lambda x: x + torch.randn_like(x),
    "randint": lambda x: x + torch.randint(7, (5,)),
    "randint bounds": lambda x: x + torch.randint(low=2, high=7, size=(5,)),
    "randint_like": lambda x: x + torch.randint_like(x, 2, 7),
    "randperm": lambda x: x[..., torch.randperm(5)],
    "normal": lambda x: torch.normal(x, 0.5),
    "normal of numbers": lambda x: x + torch.normal(0.0, 2.0, (5,)),
    "bernoulli": lambda x: x * torch.bernoulli(x.sigmoid()),
    "bernoulli of a share": lambda x: x * torch.bernoulli(x, 0.3),
    "bernoulli method": lambda x: x * x.sigmoid().bernoulli(),
    "multinomial": lambda x: torch.multinomial(x[0].softmax(-1), 3),
    "multinomial again": lambda x: x[0].softmax(-1).multinomial(9, replacement=True),
    "bernoulli_": lambda x: x * torch.empty_like(x).bernoulli_(0.3),
    "uniform_": lambda x: x + torch.empty_like(x).uniform_(-1, 3),
    "normal_": lambda x: x + torch.empty_like(x).normal_(1, 2),
    "log_normal_": lambda x: x + torch.empty_like(x).log_normal_(0, 0.5),
    "exponential_": lambda x: x + torch.empty_like(x).exponential_(2),
    "cauchy_": lambda x: x + torch.empty_like(x).cauchy_(),
    "geometric_": lambda x: x + torch.empty_like(x).geometric_(0.3),
    "random_": lambda x: x + torch.empty_like(x).random_(2, 7),
    "own generator": lambda x: x + torch.rand(5, generator=torch.Generator()),
    "attention of torch": lambda x: ATTENTION(x, x, x, need_weights=False)[0],
    "attention of torch with its map": lambda x: ATTENTION(x, x, x)[0],
    "encoder layer": lambda x: ENCODER(x),
    "between recurrent layers": lambda x: LSTM(x)[0],
}
ATTENTION = nn.MultiheadAttention(5, 1, dropout=0.3, batch_first=True)
LSTM = nn.LSTM(5, 4, num_layers=2, dropout=0.4)
ENCODER = nn.TransformerEncoderLayer(5, 1, 8, dropout=0.3, batch_first=True)


def drawn(call: Callable[[Tensor], Tensor], key: Tensor, x: Tensor = X) -> Tensor:
    """What a call gives with the numbers of a key."""
    with ReplicaFunctions(NoiseStream(key)):
        return call(x)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_are_those_of_the_key_alone(name: str) -> None:
    call, keys = CALLS[name], torch.tensor([3, 4, 5])
    before = torch.random.get_rng_state()
    first = drawn(call, keys[1])
    assert torch.equal(drawn(call, keys[1]), first)
    assert not torch.equal(drawn(call, keys[2]), first)
    lifted = torch.vmap(lambda key, x: drawn(call, key, x), randomness="error")
    xs = X.expand(3, *X.shape).clone()
    torch.testing.assert_close(lifted(keys, xs)[1], first)
    replayed = make_fx(lifted)(keys.flip(0), xs)
    torch.testing.assert_close(replayed(keys, xs)[1], first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator moved"


def test_nothing_is_drawn_in_evaluation_mode() -> None:
    noise = NoiseStream(torch.tensor(1))
    with ReplicaFunctions(noise):
        assert torch.equal(F.dropout(X, 0.4, training=False), X)
        assert torch.equal(nn.Dropout(0.0)(X), X)
        ENCODER.eval()(X)
    ENCODER.train()
    assert noise.calls == 0


SIZE = (200_000,)
MOMENTS: dict[str, tuple[Callable[[], Tensor], float, float]] = {
    # mean and standard deviation, from textbooks
    "dropout": (lambda: F.dropout(torch.ones(SIZE), 0.25), 1.0, (0.25 / 0.75) ** 0.5),
    "uniform_": (lambda: torch.empty(SIZE).uniform_(-1, 3), 1.0, 4 / 12**0.5),
    "normal": (lambda: torch.normal(1.0, 2.0, SIZE), 1.0, 2.0),
    "log_normal_": (lambda: torch.empty(SIZE).log_normal_(0, 0.5), 1.1331, 0.6039),
    "exponential_": (lambda: torch.empty(SIZE).exponential_(2), 0.5, 0.5),
    "geometric_": (lambda: torch.empty(SIZE).geometric_(0.25), 4.0, 12**0.5),
    "random_": (lambda: torch.empty(SIZE).random_(2, 6), 3.5, 1.25**0.5),
    "randint": (lambda: torch.randint(2, 6, SIZE).float(), 3.5, 1.25**0.5),
    "bernoulli": (lambda: torch.bernoulli(torch.full(SIZE, 0.3)), 0.3, 0.21**0.5),
    "rrelu": (lambda: F.rrelu(-torch.ones(SIZE), 0.2, 0.4, training=True), -0.3, 0.2 / 12**0.5),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_their_distribution_is_torch_s(name: str) -> None:
    call, mean, deviation = MOMENTS[name]
    with ReplicaFunctions(NoiseStream(torch.tensor(11))):
        found = call()
    assert float(found.mean()) == pytest.approx(mean, abs=5 * deviation / SIZE[0] ** 0.5)
    assert float(found.std()) == pytest.approx(deviation, rel=0.02)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = torch.randn(400, 500)
    with ReplicaFunctions(NoiseStream(torch.tensor(2))):
        found = F.alpha_dropout(x, 0.3, training=True)
    assert float(found.mean()) == pytest.approx(float(x.mean()), abs=0.02)
    assert float(found.std()) == pytest.approx(float(x.std()), rel=0.02)


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_follows_its_weights(replacement: bool) -> None:
    weights = torch.tensor([0.1, 0.2, 0.7]).expand(60_000, 3)
    with ReplicaFunctions(NoiseStream(torch.tensor(2))):
        found = torch.multinomial(weights, 2, replacement)
    for place in range(2):
        shares = torch.bincount(found[:, place], minlength=3) / len(found)
        # The second without replacement: P(j) = sum over i of w_i w_j / (1 - w_i).
        second = [
            0.1 * (0.2 / 0.8 + 0.7 / 0.3),
            0.2 * (0.1 / 0.9 + 0.7 / 0.3),
            0.7 * (1 / 9 + 1 / 4),
        ]
        expected = [0.1, 0.2, 0.7] if replacement or place == 0 else second
        torch.testing.assert_close(shares, torch.tensor(expected), atol=0.012, rtol=0)
    assert replacement or (found[:, 0] != found[:, 1]).all()


def test_whole_channels_are_dropped_together() -> None:
    with ReplicaFunctions(NoiseStream(torch.tensor(2))):
        kept = F.dropout2d(torch.ones(50, 8, 3, 3), 0.5) != 0
    assert (kept.flatten(2).all(2) | ~kept.flatten(2).any(2)).all()
    assert 0.3 < kept.float().mean() < 0.7


def test_every_stand_in_is_tried() -> None:
    """A function of the table that no call above reaches would be one that nobody has tested."""
    reached: set[object] = set()

    class Watching(ReplicaFunctions):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            reached.add(func)
            return super().__torch_function__(func, types, args, kwargs)

    with Watching(NoiseStream(torch.tensor(1))):
        for call in CALLS.values():
            call(X)
        torch.dropout_(X.clone(), 0.5, True)
        torch.feature_dropout_(X.clone(), 0.5, True)
        torch.alpha_dropout_(X.clone(), 0.5, True)
        torch.feature_alpha_dropout_(X.clone(), 0.5, True)
        torch.rrelu_(X.clone(), training=True)
    assert set(DRAWS) <= reached
