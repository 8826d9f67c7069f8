"""Training losses for outputs that many tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthbench.contracts.batch import Batch, Loss

if TYPE_CHECKING:
    from torch import Tensor


def hinge(output: Tensor, batch: Batch) -> Tensor:
    """Mean of max(0, 1 - y f(x)), for y in {-1, +1}."""
    return (1 - batch.y * output).relu().mean()


def logistic(output: Tensor, batch: Batch) -> Tensor:
    """Mean of ln(1 + exp(-y f(x))), in nats."""
    from torch.nn.functional import softplus

    return softplus(-batch.y * output).mean()


def square(output: Tensor, batch: Batch) -> Tensor:
    """Mean of (y - f(x))^2."""
    return (batch.y - output).square().mean()


def correlation(output: Tensor, batch: Batch) -> Tensor:
    """Mean of -y f(x), whose population gradient has a closed form (Barak et al. 2022, sec. 4)."""
    return -(batch.y * output).mean()


def cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    """Mean over sequences and positions of -ln p(y_t), in nats."""
    missed = -output.log_softmax(dim=-1).gather(2, batch.y[:, :, None])
    return missed.mean()


def last_cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    """Mean over sequences of -ln p(y_T) at the last position, in nats."""
    return cross_entropy(output[:, -1:], batch._replace(y=batch.y[:, -1:]))


NEXT_TOKEN_LOSSES: Mapping[str, Loss] = {
    "cross-entropy": cross_entropy,
    "last": last_cross_entropy,
}
"""Losses for a `TokenLogits` output; the first is the default."""

MARGIN_LOSSES: Mapping[str, Loss] = {
    "hinge": hinge,
    "logistic": logistic,
    "square": square,
    "correlation": correlation,
}
"""Losses for a `Margin` output; the first is the default."""
