"""Examples of one replica, the hidden truth behind them, and what a loss is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

World = Any
"""A task's hidden truth: a tensor, or a tuple or dict of tensors."""


class Batch(NamedTuple):
    """Examples of one replica.

    `latents` holds what losses, `score` and `references` may look at, and models do not see (true
    transition matrices, or the weight of each position): tensors whose first axis is the batch.
    """

    x: Tensor
    y: Tensor
    latents: Mapping[str, Tensor] = {}


Loss: TypeAlias = "Callable[[Tensor, Batch], Tensor]"
"""(output, batch) -> scalar, a mean over the batch."""
