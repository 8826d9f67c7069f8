"""The numbers of a forward pass: published vectors, the right shares, and what they depend on."""

from __future__ import annotations

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from synthbench.streams import NoiseStream, Purpose, Stream, keys_of, noise_keys
from synthbench.streams.splitmix import splitmix64

# Vigna's splitmix64.c, seeded with 1234567.
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_splitmix_gives_the_published_words() -> None:
    found = splitmix64(torch.tensor(1234567), 5).tolist()
    assert [word % 2**64 for word in found] == PUBLISHED


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 1 - 1e-6, 1e-6])
def test_a_mask_keeps_the_share_that_it_should(share: float) -> None:
    n = 1_000_000
    kept = int(NoiseStream(torch.tensor(5)).kept(share, (n,)).sum())
    assert abs(kept - share * n) < 5 * (share * (1 - share) * n) ** 0.5 + n * 2**-17


def test_calls_and_lanes_are_independent() -> None:
    noise = NoiseStream(torch.tensor(5))
    first, second = noise.kept(0.5, (400, 500)), noise.kept(0.5, (400, 500))
    assert float((first == second).float().mean()) == pytest.approx(0.5, abs=0.01)
    signs = 2.0 * first - 1
    for lag in (1, 2, 3, 4, 500):
        flat = signs.flatten()
        assert abs(float((flat[lag:] * flat[:-lag]).mean())) < 0.012, lag
    assert noise.calls == 2


def test_what_a_stream_inherits_is_drawn_from_its_own_words() -> None:
    noise = NoiseStream(torch.tensor(7))
    normal = noise.normal((200_000,))
    assert abs(float(normal.mean())) < 0.012 and float(normal.std()) == pytest.approx(1, abs=0.01)
    uniform = noise.uniform((200_000,))
    assert float(uniform.mean()) == pytest.approx(0.5, abs=0.004)
    assert sorted(noise.permutation(9).tolist()) == list(range(9))


def test_keys_are_words_of_philox() -> None:
    found = noise_keys(keys_of([3, 2**40 + 1]), range(7, 10), call=1)
    assert found.shape == (3, 2)
    for k, step in enumerate(range(7, 10)):
        for r, seed in enumerate((3, 2**40 + 1)):
            (key,) = keys_of([seed])
            low, high = Stream(key, Purpose.NOISE, step, call=1).words(2).tolist()
            assert int(found[k, r]) % 2**64 == low | high << 32
    assert not torch.equal(found, noise_keys(keys_of([3, 2**40 + 1]), range(7, 10)))


def test_a_replica_draws_the_same_alone_stacked_and_traced() -> None:
    keys = noise_keys(keys_of([0, 1, 2]), range(2))

    def of_one(key: torch.Tensor) -> tuple[torch.Tensor, ...]:
        noise = NoiseStream(key)
        return noise.kept(0.7, (33,)), noise.normal((5,)), noise.integers(10, (4,))

    stacked = torch.vmap(of_one)
    replayed = make_fx(stacked)(keys[0])
    for alone, together, traced in zip(
        of_one(keys[1, 2]), stacked(keys[1]), replayed(keys[1]), strict=True
    ):
        assert torch.equal(alone, together[2]) and torch.equal(alone, traced[2])
