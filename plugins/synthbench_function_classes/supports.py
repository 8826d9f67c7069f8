"""Bayes' rule for a sparse w: every support has its own posterior, and its own evidence."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from synthbench_function_classes.predictors import LEAST_NOISE


def among_supports(x: Tensor, y: Tensor, noise: float, nonzero: int) -> Tensor:
    """E[w.x_i | examples before it] for w standard normal on a uniform support: (B, K).

    x: (B, K, d); y: (B, K). For each of the C supports, mean (B, C, s) and covariance
    (B, C, s, s) of w there are updated example by example (Kalman), and with them the log
    likelihood of the support, by which their predictions are weighed.
    """
    noise = max(noise, LEAST_NOISE)
    supports = torch.tensor(list(combinations(range(x.shape[2]), nonzero)), device=x.device)
    shape = (x.shape[0], *supports.shape)
    mean = torch.zeros(shape, dtype=x.dtype, device=x.device)
    identity = torch.eye(nonzero, dtype=x.dtype, device=x.device)
    covariance = identity.expand(*shape, nonzero)
    likelihood = mean[..., 0]
    predictions = []
    for i in range(x.shape[1]):
        given = x[:, i][:, supports]
        along = (covariance * given[..., None, :]).sum(dim=-1)
        variance = (along * given).sum(dim=-1) + noise
        each = (mean * given).sum(dim=-1)
        predictions.append((likelihood.softmax(dim=-1) * each).sum(dim=-1))
        missed = y[:, i, None] - each
        likelihood = likelihood - (missed.square() / variance + variance.log()) / 2
        gain = along / variance[..., None]
        mean = mean + gain * missed[..., None]
        covariance = covariance - gain[..., :, None] * along[..., None, :]
    return torch.stack(predictions, dim=1)
