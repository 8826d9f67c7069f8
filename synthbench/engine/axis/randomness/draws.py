"""Which functions of torch draw random numbers, and what stands in for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from synthbench.engine.axis.randomness import dropouts, samplers
from synthbench.streams import NoiseStream


def _writing(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The form of a dropout that writes into its input."""

    def write(noise: NoiseStream, input: Tensor, *arguments: Any, **named: Any) -> Tensor:
        return input.copy_(draw(noise, input.clone(), *arguments, **named))

    return write


DRAWS: Mapping[Any, Callable[..., Any]] = {
    torch.dropout: dropouts.dropout,
    torch.dropout_: _writing(dropouts.dropout),
    torch.feature_dropout: dropouts.feature_dropout,
    torch.feature_dropout_: _writing(dropouts.feature_dropout),
    torch.alpha_dropout: dropouts.alpha_dropout,
    torch.alpha_dropout_: _writing(dropouts.alpha_dropout),
    torch.feature_alpha_dropout: dropouts.feature_alpha_dropout,
    torch.feature_alpha_dropout_: _writing(dropouts.feature_alpha_dropout),
    torch.native_dropout: dropouts.native_dropout,
    torch.rrelu: dropouts.rrelu,
    torch.rrelu_: _writing(dropouts.rrelu),
    torch.rand: samplers.shaped(samplers.uniform),
    torch.randn: samplers.shaped(samplers.normal),
    torch.rand_like: samplers.alike(samplers.uniform),
    torch.randn_like: samplers.alike(samplers.normal),
    torch.randint: samplers.randint,
    torch.randint_like: samplers.randint_like,
    torch.randperm: samplers.randperm,
    torch.normal: samplers.normal_of,
    torch.bernoulli: samplers.bernoulli,
    Tensor.bernoulli: samplers.bernoulli,
    Tensor.bernoulli_: samplers.bernoulli_,
    torch.multinomial: samplers.multinomial,
    Tensor.multinomial: samplers.multinomial,
    Tensor.uniform_: samplers.in_place(samplers.uniform_between),
    Tensor.normal_: samplers.in_place(samplers.normal_with),
    Tensor.log_normal_: samplers.in_place(samplers.log_normal),
    Tensor.exponential_: samplers.in_place(samplers.exponential),
    Tensor.cauchy_: samplers.in_place(samplers.cauchy),
    Tensor.geometric_: samplers.in_place(samplers.geometric),
    Tensor.random_: samplers.in_place(samplers.whole),
}
"""Function -> (noise, its own arguments) -> what it returns."""
