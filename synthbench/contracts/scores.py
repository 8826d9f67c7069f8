"""What a score is: a number, a curve, or a weighted mean over a whole test set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor


class Mean(NamedTuple):
    """A weighted mean over a whole test set: masked, conditional and per-group scores.

    values, weights: (N,), or (N, T) for a curve with one mean for each of T places; a weight of 0
    leaves a value out. The first axis need not be the examples: flatten (B, T) to count every
    position alike. Values and weights are added up over all batches and divided once, so the
    score is exact however many of them each batch holds; undefined where no weight was given.
    """

    values: Tensor
    weights: Tensor


Score: TypeAlias = "Tensor | Mean"
"""A mean over the batch, () or (T,) for a curve; or a `Mean` over all batches together."""
Scores: TypeAlias = Mapping[str, Score]
"""Scores by name; the first is the one that is ranked, unless `Task.aggregate` puts another."""


def weighted_sums(score: Mean) -> tuple[Tensor, Tensor]:
    """Sum of weighted values and sum of weights, float64: what batches add up to.

    A value that does not count may be anything, NaN too.
    """
    import torch

    weights = score.weights.double()
    values = torch.where(weights != 0, score.values.double(), 0.0)
    return (values * weights).sum(0), weights.sum(0)


def score_of_batch(score: Score) -> Tensor:
    """A score where one batch is the whole test set: () or (T,)."""
    if not isinstance(score, Mean):
        return score
    total, weight = weighted_sums(score)
    return total / weight
