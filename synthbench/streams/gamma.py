"""Gamma draws for any shape, from a fixed number of random words."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from synthbench.streams.exact import log, normal_quantile

ATTEMPTS = 8
"""Each is accepted with probability above 0.95: all fail less than once in 10^10 draws."""


def log_gamma_draws(open_uniform: Callable[[int], Tensor], alpha: float, count: int) -> Tensor:
    """Logarithms of (count,) gamma draws of shape `alpha`, float64, equal to the bit everywhere.

    open_uniform: draws that many fresh numbers in (0, 1).

    Rejection sampling with all attempts drawn at once, the first accepted one kept, because
    under vmap no replica may take longer than another. Below shape 1 the draw of shape
    alpha + 1 is multiplied by u^(1 / alpha); in logarithms, so that small shapes do not
    vanish. Source: Marsaglia & Tsang 2000. Raises ValueError unless 0.01 <= alpha <= 1000.
    """
    if not 0.01 <= alpha <= 1000:
        raise ValueError(f"alpha must be between 0.01 and 1000, got {alpha}")
    if alpha == 1:
        return log(-log(open_uniform(count)))
    d = (alpha if alpha > 1 else alpha + 1) - 1 / 3
    x = normal_quantile(open_uniform(count * ATTEMPTS)).reshape(count, ATTEMPTS)
    root = 1 + x * (1 / (9 * d) ** 0.5)
    log_v = 3 * log(torch.clamp(root, min=1e-30))
    v = root * root * root
    threshold = 0.5 * x * x + d - d * v + d * log_v
    accepted = (root > 0) & (log(open_uniform(count * ATTEMPTS)).reshape(x.shape) < threshold)
    first = accepted.to(torch.int64).argmax(dim=1, keepdim=True)
    drawn = log_v.gather(1, first).squeeze(1) + math.log(d)
    if alpha > 1:
        return drawn
    return drawn + log(open_uniform(count)) * (1 / alpha)
