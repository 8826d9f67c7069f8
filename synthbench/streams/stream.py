"""A stream of random tensors that is a pure function of (seed, purpose, counter)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synthbench.streams.exact import exp, log, normal_quantile, ordered_sum
from synthbench.streams.gamma import log_gamma_draws
from synthbench.streams.philox import MASK, philox4x32, seed_to_key
from synthbench.streams.purpose import Purpose
from synthbench.streams.split import class_quotas, class_sizes, first_of_each, train_rows


class Stream:
    """Random tensors for one replica, one purpose and one counter (a training step, say).

    Each call draws fresh numbers: the Philox counter is (lane, call, step, purpose), so the
    numbers of one call do not depend on how many another call drew. Nothing is stored but
    the number of calls, and nothing depends on the device: integers, signs and uniforms are
    exact, and normals and exponentials use `synthbench.streams.exact`. It works inside
    `torch.vmap`, where `key` and `step` carry the replica and the step axes.
    """

    def __init__(
        self, key: Tensor, purpose: Purpose, step: Tensor | int = 0, call: int = 0
    ) -> None:
        """key: (2,) int64 words of the seed; step: the counter, an integer in [0, 2^32).

        call: how many calls to skip, so that several users can share a counter.
        """
        self._key = key
        self._purpose = int(purpose)
        # A constant that is filled in on the device: nothing waits for a copy.
        given = step if isinstance(step, Tensor) else torch.full((), step, device=key.device)
        self._step = given.to(key.device, torch.int64)
        self._calls = call

    @classmethod
    def from_seed(cls, seed: int, purpose: Purpose, step: int = 0) -> Stream:
        """The stream of one seed, on CPU, outside any replica axis.

        >>> first = Stream.from_seed(7, Purpose.TRAIN).signs((5,))
        >>> again = Stream.from_seed(7, Purpose.TRAIN).signs((5,))
        >>> bool((first == again).all())
        True
        >>> Stream.from_seed(7, Purpose.WORLD).choice(10, 3).shape
        torch.Size([3])
        """
        return cls(torch.tensor(seed_to_key(seed), dtype=torch.int64), purpose, step)

    @property
    def device(self) -> torch.device:
        """Where the numbers are drawn."""
        return self._key.device

    def words(self, count: int) -> Tensor:
        """Uniform 32-bit words: (count,) int64, values in [0, 2^32)."""
        lanes = torch.arange(-(-count // 4), dtype=torch.int64, device=self._key.device)
        call = torch.full_like(lanes, self._calls)
        purpose = torch.full_like(lanes, self._purpose)
        self._calls += 1
        block = philox4x32((lanes, call, self._step, purpose), (self._key[0], self._key[1]))
        return torch.stack(block, dim=-1).reshape(-1)[:count]

    def bits(self, shape: tuple[int, ...]) -> Tensor:
        """Fair bits: int64 zeros and ones of the given shape."""
        shifts = torch.arange(8, device=self._key.device)
        table = (torch.arange(256, device=self._key.device)[:, None] >> shifts) & 1
        return self._by_byte(table, shape)

    def signs(self, shape: tuple[int, ...]) -> Tensor:
        """Fair signs: float32 values -1 and +1 of the given shape, one random bit each."""
        shifts = torch.arange(8, device=self._key.device)
        table = ((torch.arange(256, device=self._key.device)[:, None] >> shifts) & 1) * 2 - 1
        return self._by_byte(table.to(torch.float32), shape)

    def integers(self, high: int, shape: tuple[int, ...]) -> Tensor:
        """Uniform integers in [0, high): int64 of the given shape, for 1 <= high <= 2^31.

        Takes the high word of a 64-bit multiplication (Lemire 2019), so there is no modulo
        bias; what unevenness is left is below high / 2^64.
        """
        if not 1 <= high <= 2**31:
            raise ValueError(f"high must be between 1 and 2^31, got {high}")
        upper, lower = self._pairs(math.prod(shape))
        return ((upper * high + ((lower * high) >> 32)) >> 32).reshape(shape)

    def uniform(self, shape: tuple[int, ...]) -> Tensor:
        """Uniform float32 numbers in [0, 1), multiples of 2^-24."""
        words = self.words(math.prod(shape)) >> 8
        return (words.to(torch.float32) * 2.0**-24).reshape(shape)

    def bernoulli(self, probability: float, shape: tuple[int, ...]) -> Tensor:
        """Boolean tensor, True with the given probability (resolved to 2^-32).

        The comparison is between integers, so no rounding can flip an outcome.
        """
        threshold = round(probability * 2**32)
        return (self.words(math.prod(shape)) < threshold).reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal float32 numbers, by inversion of a 52-bit uniform."""
        quantile = normal_quantile(self.open_uniform(math.prod(shape)))
        return quantile.to(torch.float32).reshape(shape)

    def exponential(self, shape: tuple[int, ...]) -> Tensor:
        """Exponential float32 numbers of mean 1, by inversion of a 52-bit uniform."""
        return (-log(self.open_uniform(math.prod(shape)))).to(torch.float32).reshape(shape)

    def dirichlet(self, alpha: float, shape: tuple[int, ...]) -> Tensor:
        """Points of the simplex, Dirichlet(alpha, ..., alpha) along the last axis, float64.

        Raises ValueError unless 0.01 <= alpha <= 1000.
        """
        logs = log_gamma_draws(self.open_uniform, alpha, math.prod(shape)).reshape(shape)
        shares = exp(torch.clamp(logs - logs.max(dim=-1, keepdim=True).values, min=-700.0))
        return shares / ordered_sum(shares)[..., None]

    def categorical(self, probabilities: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Classes 0..k-1 with given probabilities: int64 of the given shape.

        probabilities: broadcasts to (*shape, k); not negative, and 1 in sum along the last axis:
        what rounding leaves over goes to the last class that can occur. Each is rounded to a
        multiple of 2^-32, and whole numbers are compared, so no device flips an outcome; one of
        0 never occurs.
        """
        parts = torch.round(probabilities.to(torch.float64) * 2**32).to(torch.int64)
        ends = parts.cumsum(dim=-1)
        words = self.words(math.prod(shape)).reshape(shape)
        drawn = torch.minimum(words, ends[..., -1] - 1)
        return (ends <= drawn[..., None]).sum(dim=-1)

    def permutation(self, n: int, batch: tuple[int, ...] = ()) -> Tensor:
        """Uniform permutations of 0..n-1: (*batch, n) int64.

        Sorts 62-bit random keys; two keys of one tie with probability below n^2 / 2^63, and the
        stable sort then still gives the same answer on every device.
        """
        upper, lower = self._pairs(math.prod(batch) * n)
        keys = ((upper >> 2) << 32) | lower
        return torch.argsort(keys.reshape(*batch, n), dim=-1, stable=True)

    def choice(self, n: int, k: int, batch: tuple[int, ...] = ()) -> Tensor:
        """k distinct integers from 0..n-1, uniform over subsets: (*batch, k) int64, ascending.

        Raises ValueError unless 0 <= k <= n.
        """
        if not 0 <= k <= n:
            raise ValueError(f"cannot choose k={k} distinct integers out of n={n}")
        return torch.sort(self.permutation(n, batch)[..., :k], dim=-1).values

    def split(self, n: int, train: float, strata: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows 0..n-1 on two sides, at random: (m,) and (n - m,) int64.

        The first side, that is trained on, is in random order, so that its first rows alone are
        a sample too; the second ascends.

        train: the share m / n, in (0, 1), or m itself, an int. strata: (n,) int64 classes in
        whose proportions both sides are drawn (by largest remainder, so that the first side has
        the same number of each class in every replica); a constant, the same for all replicas.
        The same call on a stream of the same counter gives the same sides: draw it in `world`.
        Raises ValueError where a side would be empty.
        """
        count = train_rows(n, train)
        order = self.permutation(n)
        if strata is None:
            return order[:count], order[count:].sort().values
        sizes = class_sizes(strata, n)
        by_class = order[strata.to(order.device)[order].argsort(stable=True)]
        kept, others = first_of_each(sizes, class_quotas(sizes, count))
        return by_class[kept][self.permutation(count)], by_class[others].sort().values

    def open_uniform(self, count: int) -> Tensor:
        """Odd multiples of 2^-53 in (0, 1): (count,) float64, never 0 or 1."""
        upper, lower = self._pairs(count)
        mantissa = (upper << 20) | (lower >> 12)
        return (2 * mantissa + 1).to(torch.float64) * 2.0**-53

    def _by_byte(self, table: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Turn random bytes into rows of a (256, 8) table: eight values from one look-up."""
        count = math.prod(shape)
        words = self.words(-(-count // 32))
        shifts = torch.arange(0, 32, 8, device=words.device)
        rows = ((words[:, None] >> shifts) & 0xFF).reshape(-1)
        # embedding, not table[rows]: a third of the time under vmap.
        return torch.nn.functional.embedding(rows, table).reshape(-1)[:count].reshape(shape)

    def _pairs(self, count: int) -> tuple[Tensor, Tensor]:
        """Two independent 32-bit words for each of `count` draws."""
        words = self.words(2 * count).reshape(count, 2)
        return words[:, 0], words[:, 1]


def seed_word(seed: int, purpose: Purpose) -> int:
    """One 64-bit number derived from a seed: what seeds a torch generator for weights."""
    low, high = Stream.from_seed(seed, purpose).words(2).tolist()
    return int(low) | (int(high) & MASK) << 32
