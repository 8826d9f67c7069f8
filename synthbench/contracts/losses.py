"""Training losses for outputs that many tasks share.

A label equal to `IGNORED` is not asked for, nor is a target of NaN in `REGRESSION_LOSSES`: every
loss is the mean over the labels that are asked, and 0 without gradient where none is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthbench.contracts.batch import Batch, Loss

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100
"""The label of what is not asked for: a sign, a class or a token that losses leave out."""


def hinge(output: Tensor, batch: Batch) -> Tensor:
    """Mean of max(0, 1 - y f(x)), for y in {-1, +1}."""
    asked = batch.y != IGNORED
    return over_asked((1 - batch.y * output).relu() * asked, asked)


def logistic(output: Tensor, batch: Batch) -> Tensor:
    """Mean of ln(1 + exp(-y f(x))), in nats."""
    from torch.nn.functional import softplus

    asked = batch.y != IGNORED
    return over_asked(softplus(-batch.y * output) * asked, asked)


def square(output: Tensor, batch: Batch) -> Tensor:
    """Mean of (y - f(x))^2, for y in {-1, +1}."""
    asked = batch.y != IGNORED
    return over_asked((batch.y - output).square() * asked, asked)


def correlation(output: Tensor, batch: Batch) -> Tensor:
    """Mean of -y f(x), whose population gradient has a closed form (Barak et al. 2022, sec. 4)."""
    asked = batch.y != IGNORED
    return -over_asked(batch.y * output * asked, asked)


def cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    """Mean over examples, and over positions if there are any, of -ln p(y), in nats.

    output: (B, C) or (B, T, V) logits; y: int64, (B,) or (B, T).
    """
    ignored = batch.y == IGNORED
    known = batch.y.masked_fill(ignored, 0)
    missed = -output.log_softmax(dim=-1).gather(-1, known[..., None]).squeeze(-1)
    # Filled in, not multiplied: a class that is ruled out has a loss of infinity.
    return over_asked(missed.masked_fill(ignored, 0), ~ignored)


def last_cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    """Mean over sequences of -ln p(y_T) at the last position, in nats."""
    return cross_entropy(output[:, -1:], batch._replace(y=batch.y[:, -1:]))


def class_square(output: Tensor, batch: Batch) -> Tensor:
    """Mean over examples and classes of (1[c = y] - f_c(x))^2.

    output: (B, C); y: int64 (B,).
    """
    from synthbench.contracts.one_hot import one_hot

    asked = batch.y != IGNORED
    missed = one_hot(batch.y, output.shape[-1], output.dtype) - output
    return over_asked(missed.square().mean(dim=-1) * asked, asked)


def squared_error(output: Tensor, batch: Batch) -> Tensor:
    """Mean of (y - f(x))^2."""
    known = ~batch.y.isnan()
    return over_asked(_errors(output, batch.y).square() * known, known)


def absolute_error(output: Tensor, batch: Batch) -> Tensor:
    """Mean of |y - f(x)|."""
    known = ~batch.y.isnan()
    return over_asked(_errors(output, batch.y).abs() * known, known)


def huber(output: Tensor, batch: Batch) -> Tensor:
    """Mean of e^2 / 2 where |e| <= 1 and |e| - 1/2 elsewhere, e = y - f(x) (Huber 1964)."""
    known = ~batch.y.isnan()
    size = _errors(output, batch.y).abs()
    near = size.clamp(max=1)
    return over_asked(near * (size - near / 2) * known, known)


def over_asked(values: Tensor, asked: Tensor) -> Tensor:
    """Sum of values, which are 0 where they are not asked, over the number of those that are.

    values, asked: tensors of one shape, the second boolean. Where all are asked it is
    `values.mean()`: on CPU to the bit, on a GPU to the last one, and its gradient to the bit.
    """
    import torch

    # As in a mean, the sum of 16-bit numbers is kept in 32 bits.
    kind = torch.promote_types(values.dtype, torch.float32)
    mean = values.sum(dtype=kind) / asked.sum().clamp(min=1)
    return mean.to(values.dtype)


def _errors(output: Tensor, y: Tensor) -> Tensor:
    """y - f(x), with 0 in place of y where that is NaN, whose product with 0 is NaN too."""
    return y.masked_fill(y.isnan(), 0) - output


NEXT_TOKEN_LOSSES: Mapping[str, Loss] = {
    "cross-entropy": cross_entropy,
    "last": last_cross_entropy,
}
"""Losses for a `TokenLogits` output; the first is the default. Labels of -100 are left out."""

MARGIN_LOSSES: Mapping[str, Loss] = {
    "hinge": hinge,
    "logistic": logistic,
    "square": square,
    "correlation": correlation,
}
"""Losses for a `Margin` or `Margins` output; the first is the default. Labels of -100 are left
out."""

CLASS_LOSSES: Mapping[str, Loss] = {"cross-entropy": cross_entropy, "square": class_square}
"""Losses for a `ClassLogits` output; the first is the default. Labels of -100 are left out."""

REGRESSION_LOSSES: Mapping[str, Loss] = {
    "square": squared_error,
    "absolute": absolute_error,
    "huber": huber,
}
"""Losses for a `Value` output; the first is the default. Labels of NaN are left out."""
