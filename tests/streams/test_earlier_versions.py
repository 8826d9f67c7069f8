"""What was drawn once is drawn for ever: records hold hashes of the data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from synthbench.streams import NoiseStream, Purpose, Stream, keys_of, noise_keys
from tests.streams.digest import digest

KEYS = keys_of([5, 2**64 - 1])
STEPS = torch.tensor([7, 2**32 - 1])
SHARES = torch.tensor([0.1, 0.2, 0.7])
DRAWS: dict[str, Callable[[Stream], Tensor]] = {
    "words": lambda rng: rng.words(1013),
    "bits": lambda rng: rng.bits((3, 50)),
    "signs": lambda rng: rng.signs((7, 41)),
    "integers": lambda rng: rng.integers(97, (400,)),
    "uniform": lambda rng: rng.uniform((400,)),
    "bernoulli": lambda rng: rng.bernoulli(0.3, (400,)),
    "normal": lambda rng: rng.normal((4001,)),
    "exponential": lambda rng: rng.exponential((4001,)),
    "dirichlet-0.3": lambda rng: rng.dirichlet(0.3, (200, 5)),
    "dirichlet-1": lambda rng: rng.dirichlet(1.0, (200, 5)),
    "dirichlet-4": lambda rng: rng.dirichlet(4.0, (200, 5)),
    "categorical": lambda rng: rng.categorical(SHARES, (400,)),
    "permutation": lambda rng: rng.permutation(9, (30,)),
    "choice": lambda rng: rng.choice(20, 4, (30,)),
}
EARLIER = {
    "words": "fbb68c9f0a21a53b",
    "bits": "b17bf0f8859ea85d",
    "signs": "396e0edd14567447",
    "integers": "095a9c4d8591f4be",
    "uniform": "ce96f65dc508195a",
    "bernoulli": "d0308ca0147e5bdc",
    "normal": "21f7f7e47e07ba0c",
    "exponential": "57f13bbf5eca90b9",
    "dirichlet-0.3": "f37a8a24fc871d66",
    "dirichlet-1": "f80dfb3f246af6c0",
    "dirichlet-4": "0c660c91340e1f85",
    "categorical": "c1cd993f231278d1",
    "permutation": "4dbcf5faa807ee61",
    "choice": "42545d934399905e",
    "noise": "c0619b1d21ed59b3",
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_those_of_earlier_versions(name: str) -> None:
    def draw(key: Tensor, step: Tensor | int) -> Tensor:
        return DRAWS[name](Stream(key, Purpose.WORLD, step, 3))

    together = torch.vmap(draw)(KEYS, STEPS)
    of_one_step = torch.vmap(lambda key: draw(key, 7))(KEYS)
    of_one_key = torch.vmap(lambda step: draw(KEYS[0], step))(STEPS)
    found = [together, of_one_step, of_one_key, draw(KEYS[0], 7)]
    assert digest(found) == EARLIER[name]
    assert torch.equal(together[0], found[3]) and torch.equal(of_one_key[0], found[3])
    assert torch.equal(of_one_key[1], draw(KEYS[0], 2**32 - 1))


def test_noise_is_that_of_earlier_versions() -> None:
    keys = noise_keys(KEYS, range(5, 9))
    noise = NoiseStream(keys[0, 0])
    found = [keys, noise.kept(0.7, (33,)), noise.normal((50,)), noise.words(9)]
    assert digest(found) == EARLIER["noise"]
