"""Examples as a sequence of vectors, and predictions as one of numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import Batch


def interleaved(x: Tensor, y: Tensor, values: Tensor) -> Batch:
    """(x_1, 0), (0, y_1), (x_2, 0), ...: x (B, K, d), y and values (B, K) -> vectors (B, 2 K, d+1).

    Targets are y at the places of inputs and NaN, not asked for, at those of answers.
    """
    inputs = torch.cat([x, torch.zeros_like(y)[..., None]], dim=-1)
    answers = torch.cat([torch.zeros_like(x), y[..., None]], dim=-1)
    vectors = torch.stack([inputs, answers], dim=2).flatten(1, 2)
    targets = torch.stack([y, torch.full_like(y, torch.nan)], dim=2).flatten(1, 2)
    return Batch(vectors.float(), targets.float(), {"values": values.float()})


def examples_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """Inputs (B, K, d) and answers (B, K), float64, as the vectors hold them."""
    return batch.x[:, ::2, :-1].double(), batch.x[:, 1::2, -1].double()


def outputs_of(predictions: dict[str, Tensor]) -> dict[str, Tensor]:
    """Predictions (B, K) as outputs (B, 2 K), 0 at the places of answers."""
    return {
        name: torch.stack([each, torch.zeros_like(each)], dim=2).flatten(1, 2).float()
        for name, each in predictions.items()
    }
