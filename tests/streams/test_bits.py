"""Reading integers as numbers of another type, with and without a rule of vmap's."""

from __future__ import annotations

import pytest
import torch

from synthbench.streams import Purpose, Stream, bits, exact, keys_of
from synthbench.streams.noise import NoiseStream


def draws() -> list[torch.Tensor]:
    keys = keys_of([3, 4, 2**40])
    masks = torch.vmap(lambda key: NoiseStream(key).kept(0.9, (5, 7)))(keys[:, 0])
    rows = torch.vmap(lambda key: Stream(key, Purpose.TRAIN).dirichlet(0.5, (4, 3)))(keys)
    powers = exact.exp(torch.linspace(-700, 700, 501, dtype=torch.float64))
    return [masks, rows, powers, torch.vmap(exact.exp)(powers.log().reshape(3, 167))]


def test_the_fallback_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in torch 2.11, whose vmap has no rule for it."""
    expected = draws()
    monkeypatch.setattr(bits, "_has_rule", lambda: False)
    assert all(torch.equal(a, b) for a, b in zip(draws(), expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.int16, torch.float64, torch.int32])
def test_the_fallback_is_view(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    words = torch.randint(-(2**62), 2**62, (4, 3, 5), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(bits, "_has_rule", lambda: False)
    for axis in (0, 1):
        found = torch.vmap(lambda own: bits.reinterpreted(own, dtype), axis)(words)
        expected = words.movedim(axis, 0).contiguous().view(dtype)
        assert torch.equal(found.view(torch.uint8), expected.view(torch.uint8))
