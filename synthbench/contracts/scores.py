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
