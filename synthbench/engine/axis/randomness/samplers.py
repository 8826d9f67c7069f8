"""Torch's functions that make random tensors, with numbers of the replica's own stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from synthbench.streams import NoiseStream

IGNORED = ("generator", "out", "layout", "pin_memory", "memory_format", "names")
"""Arguments of torch's functions that do not matter here; a generator gives way to the stream."""


def shaped(draw: Callable[[NoiseStream, tuple[int, ...]], Tensor]) -> Callable[..., Tensor]:
    """A factory such as `torch.rand`: sizes as separate arguments or as one sequence."""

    def factory(
        noise: NoiseStream,
        *size: Any,
        dtype: torch.dtype | None = None,
        device: Any = None,
        requires_grad: bool = False,
        **rest: Any,
    ) -> Tensor:
        given = rest.pop("size", None)
        shape = _shape(size if given is None else given)
        drawn = draw(noise, shape).to(dtype or torch.get_default_dtype())
        return _leaf(_placed(drawn, device), requires_grad)

    return factory


def alike(draw: Callable[[NoiseStream, tuple[int, ...]], Tensor]) -> Callable[..., Tensor]:
    """A factory such as `torch.rand_like`."""

    def factory(
        noise: NoiseStream,
        input: Tensor,
        *,
        dtype: torch.dtype | None = None,
        device: Any = None,
        requires_grad: bool = False,
        **rest: Any,
    ) -> Tensor:
        drawn = draw(noise, tuple(input.shape)).to(dtype or input.dtype)
        return _leaf(_placed(drawn, device), requires_grad)

    return factory


def in_place(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A method such as `Tensor.uniform_`; draw: (noise, shape, arguments) -> float numbers."""

    def fill(noise: NoiseStream, input: Tensor, *arguments: Any, **named: Any) -> Tensor:
        kept = {key: value for key, value in named.items() if key not in IGNORED}
        return input.copy_(draw(noise, tuple(input.shape), *arguments, **kept))

    return fill


def uniform(noise: NoiseStream, shape: tuple[int, ...]) -> Tensor:
    """In [0, 1)."""
    return noise.uniform(shape)


def normal(noise: NoiseStream, shape: tuple[int, ...]) -> Tensor:
    """Of mean 0 and variance 1."""
    return noise.normal(shape)


def uniform_between(
    noise: NoiseStream, shape: tuple[int, ...], from_: float = 0.0, to: float = 1.0, **named: float
) -> Tensor:
    """In [from, to)."""
    low = named.get("from", from_)
    return low + (to - low) * noise.uniform(shape)


def normal_with(
    noise: NoiseStream, shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0
) -> Tensor:
    """Of that mean and standard deviation."""
    return mean + std * noise.normal(shape)


def log_normal(
    noise: NoiseStream, shape: tuple[int, ...], mean: float = 1.0, std: float = 2.0
) -> Tensor:
    """Whose logarithm has that mean and standard deviation."""
    return normal_with(noise, shape, mean, std).exp()


def exponential(noise: NoiseStream, shape: tuple[int, ...], lambd: float = 1.0) -> Tensor:
    """Of mean 1 / lambd."""
    return noise.exponential(shape) / lambd


def cauchy(
    noise: NoiseStream, shape: tuple[int, ...], median: float = 0.0, sigma: float = 1.0
) -> Tensor:
    """By inversion of its distribution function."""
    return median + sigma * torch.tan(math.pi * (_open(noise, shape) - 0.5))


def geometric(noise: NoiseStream, shape: tuple[int, ...], p: float) -> Tensor:
    """Trials up to the first success, 1, 2, ..., by inversion."""
    return torch.ceil(torch.log(_open(noise, shape)) / math.log1p(-p)).clamp(min=1)


def whole(
    noise: NoiseStream,
    shape: tuple[int, ...],
    from_: int = 0,
    to: int | None = None,
    **named: int,
) -> Tensor:
    """`Tensor.random_`: whole numbers in [from, to), or [0, from) where to is not given."""
    low = named.get("from", from_)
    low, high = (0, low) if to is None else (low, to)
    if high == low == 0:
        high = 2**24
    return low + noise.integers(high - low, shape)


def randint(noise: NoiseStream, *arguments: Any, **named: Any) -> Tensor:
    """`torch.randint(low=0, high, size)`."""
    bounds = [value for value in arguments if isinstance(value, int)]
    size = named.get("size") or next(v for v in arguments if not isinstance(v, int))
    low = named.get("low", bounds[0] if len(bounds) > 1 else 0)
    high = named["high"] if "high" in named else bounds[-1]
    drawn = low + noise.integers(high - low, _shape((size,)))
    return _placed(drawn.to(named.get("dtype") or torch.int64), named.get("device"))


def randint_like(noise: NoiseStream, input: Tensor, *bounds: int, **named: Any) -> Tensor:
    """`torch.randint_like(input, low=0, high)`."""
    given = {key: named[key] for key in ("low", "high", "dtype", "device") if key in named}
    return randint(noise, *bounds, tuple(input.shape), **{"dtype": input.dtype, **given})


def randperm(noise: NoiseStream, n: int, **named: Any) -> Tensor:
    """`torch.randperm`."""
    drawn = noise.permutation(n).to(named.get("dtype") or torch.int64)
    return _placed(drawn, named.get("device"))


def normal_of(
    noise: NoiseStream, mean: Any = 0.0, std: Any = 1.0, *size: Any, **named: Any
) -> Tensor:
    """`torch.normal`, with means and standard deviations as tensors or as numbers."""
    tensors = [value for value in (mean, std) if isinstance(value, Tensor)]
    if not tensors:
        shape = _shape(size or (named["size"],))
        drawn = normal_with(noise, shape, mean, std).to(named.get("dtype"))
        return _placed(drawn, named.get("device"))
    unit = noise.normal(tuple((mean + std).shape)).to(tensors[0].dtype)
    found: Tensor = mean + std * unit
    return found


def bernoulli(noise: NoiseStream, input: Tensor, p: float | None = None, **rest: Any) -> Tensor:
    """`torch.bernoulli`: ones with the probabilities in `input`, or all with p."""
    return _coins(noise, tuple(input.shape), input if p is None else p).to(input.dtype)


def bernoulli_(noise: NoiseStream, input: Tensor, p: Any = 0.5, **rest: Any) -> Tensor:
    """`Tensor.bernoulli_`."""
    return input.copy_(_coins(noise, tuple(input.shape), p))


def multinomial(
    noise: NoiseStream,
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    **rest: Any,
) -> Tensor:
    """`torch.multinomial`: the winners of a race of exponentials; input (n,) or (m, n).

    Without replacement the first ones of one race, which are drawn one after the other with
    the weights that are left (Efraimidis & Spirakis 2006).
    """
    races = num_samples if replacement else 1
    shape = (*input.shape[:-1], races, input.shape[-1])
    times = noise.exponential(shape).to(input.dtype) / input[..., None, :]
    if replacement:
        return times.argmin(-1)
    return times[..., 0, :].argsort(-1)[..., :num_samples]


def _coins(noise: NoiseStream, shape: tuple[int, ...], p: Any) -> Tensor:
    if not isinstance(p, Tensor):
        return noise.bernoulli(float(p), shape)
    words = noise.words(math.prod(shape)).reshape(shape)
    return words < torch.round(p.double() * 2**32)


def _open(noise: NoiseStream, shape: tuple[int, ...]) -> Tensor:
    return noise.open_uniform(math.prod(shape)).reshape(shape)


def _shape(size: Sequence[Any]) -> tuple[int, ...]:
    if len(size) == 1 and not isinstance(size[0], int):
        size = size[0]
    return tuple(int(length) for length in size)


def _placed(tensor: Tensor, device: Any) -> Tensor:
    return tensor if device is None else tensor.to(device)


def _leaf(tensor: Tensor, requires_grad: bool) -> Tensor:
    # Asked for a constant, a transform of `torch.func` would refuse.
    return tensor.requires_grad_() if requires_grad else tensor
