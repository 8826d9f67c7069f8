"""Torch's functions that set entries to zero, with masks of the replica's own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synthbench.streams import NoiseStream

ALPHA = 1.7580993408473766
"""Minus the value that SELU tends to (Klambauer et al. 2017), as in ATen/native/Dropout.cpp."""


def dropout(noise: NoiseStream, input: Tensor, p: float, train: bool) -> Tensor:
    """`torch.dropout`: zero with probability p, scaled by 1 / (1 - p)."""
    if not train or p == 0:
        return input
    return _scaled(input, noise.kept(1 - p, tuple(input.shape)), p)


def feature_dropout(noise: NoiseStream, input: Tensor, p: float, train: bool) -> Tensor:
    """`torch.feature_dropout`: whole channels at once; input (B, C, ...)."""
    if not train or p == 0:
        return input
    return _scaled(input, noise.kept(1 - p, _channels(input)), p)


def alpha_dropout(noise: NoiseStream, input: Tensor, p: float, train: bool) -> Tensor:
    """`torch.alpha_dropout`: to SELU's negative limit, mean and variance kept."""
    if not train or p == 0:
        return input
    return _alpha(input, noise.kept(1 - p, tuple(input.shape)), p)


def feature_alpha_dropout(noise: NoiseStream, input: Tensor, p: float, train: bool) -> Tensor:
    """`torch.feature_alpha_dropout`: the same for whole channels."""
    if not train or p == 0:
        return input
    return _alpha(input, noise.kept(1 - p, _channels(input)), p)


def native_dropout(
    noise: NoiseStream, input: Tensor, p: float, train: bool | None
) -> tuple[Tensor, Tensor]:
    """`torch.native_dropout`: the output and the mask."""
    if train is False or p == 0:
        return input, torch.ones_like(input, dtype=torch.bool)
    mask = noise.kept(1 - p, tuple(input.shape))
    return _scaled(input, mask, p), mask


def rrelu(
    noise: NoiseStream,
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: object = None,
) -> Tensor:
    """`torch.rrelu`: negative entries times a number from [lower, upper)."""
    if not training:
        return torch.nn.functional.leaky_relu(input, (lower + upper) / 2)
    slope = lower + (upper - lower) * noise.uniform(tuple(input.shape)).to(input.dtype)
    return torch.where(input > 0, input, input * slope)


def _scaled(input: Tensor, mask: Tensor, p: float) -> Tensor:
    # A factor of the input's type, as torch's own: a Boolean one would be converted by the product.
    return input * (mask.to(input.dtype) * (1 / (1 - p) if p < 1 else 0.0))


def _alpha(input: Tensor, mask: Tensor, p: float) -> Tensor:
    if p == 1:
        return input * 0
    scale = 1 / math.sqrt((ALPHA**2 * p + 1) * (1 - p))
    kept = mask.to(input.dtype)
    return input * kept * scale + ((kept - 1) * ALPHA + ALPHA * p) * scale


def _channels(input: Tensor) -> tuple[int, ...]:
    if input.dim() < 2:
        raise ValueError("feature dropout requires at least 2 dimensions in the input")
    return (*input.shape[:2], *[1] * (input.dim() - 2))
