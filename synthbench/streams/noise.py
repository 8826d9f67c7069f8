"""The numbers a network draws in its forward pass: dropout masks and other noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synthbench.streams.bits import reinterpreted
from synthbench.streams.philox import MASK, philox4x32
from synthbench.streams.purpose import Purpose
from synthbench.streams.splitmix import GOLDEN, mixed, splitmix64
from synthbench.streams.stream import Stream

HALF = 2**15
"""A mask compares 16 bits, which an int16 holds from -HALF to HALF - 1."""


class NoiseStream(Stream):
    """Random tensors as functions of (seed, step, call), cheap enough for every layer.

    Philox turns seed and step into one key (`noise_keys`); SplitMix64 turns that into a key for
    every call, and that into words. Works inside `torch.vmap`, where `key` carries the replicas.
    """

    def __init__(self, key: Tensor) -> None:
        """key: () int64, of one replica at one step."""
        super().__init__(key, Purpose.NOISE)

    @property
    def calls(self) -> int:
        """How often numbers were drawn."""
        return self._calls

    def words(self, count: int) -> Tensor:
        """Uniform 32-bit words: (count,) int64, values in [0, 2^32)."""
        bits = self._bits(-(-count // 2))
        return torch.stack((bits & MASK, (bits >> 32) & MASK), dim=-1).reshape(-1)[:count]

    def kept(self, probability: float, shape: tuple[int, ...]) -> Tensor:
        """Boolean tensor, True with the given probability (resolved to 2^-16 where that can be)."""
        threshold = round(probability * 2 * HALF)
        if not 0 < threshold < 2 * HALF:
            return self.bernoulli(probability, shape)
        count = math.prod(shape)
        parts = reinterpreted(self._bits(-(-count // 4)), torch.int16)[:count]
        return (parts < threshold - HALF).reshape(shape)

    def _bits(self, count: int) -> Tensor:
        self._calls += 1
        # A tensor, whose product wraps.
        call = torch.full_like(self._key, self._calls)
        return splitmix64(mixed(self._key + call * GOLDEN), count)


def noise_keys(keys: Tensor, steps: range, call: int = 0) -> Tensor:
    """Keys of `NoiseStream`: (K, R) int64 for K steps of R replicas.

    keys: (R, 2) int64 words of the replicas' seeds. call: 0 of training, 1 of evaluation.
    """
    counters = torch.arange(steps.start, steps.stop, device=keys.device)[:, None]
    first = torch.zeros_like(counters)
    # The first two words of `Stream(key, Purpose.NOISE, step, call)`.
    block = (first, first + call, counters, first + int(Purpose.NOISE))
    low, high, _, _ = philox4x32(block, (keys[:, 0], keys[:, 1]))
    return low | (high << 32)
