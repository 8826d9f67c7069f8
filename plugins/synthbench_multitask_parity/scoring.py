"""Accuracy over the distribution of subtasks and within each."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import Batch, Mean, accuracy


def accuracies(output: Tensor, batch: Batch, tasks: int) -> tuple[Mean, Mean]:
    """Over all examples in their weights, and by subtask: a curve (1, tasks).

    output: (B, 2) logits; latents: `subtask` (B,) and `weight` (B,).
    """
    hits, subtask = accuracy(output, batch.y).values, batch.latents["subtask"]
    zeros = torch.zeros(tasks, dtype=hits.dtype, device=hits.device)
    right = zeros.scatter_add(0, subtask, hits)
    count = zeros.scatter_add(0, subtask, torch.ones_like(hits))
    by_subtask = Mean((right / count.clamp(min=1))[None], count[None])
    return Mean(hits, batch.latents["weight"].to(hits.dtype)), by_subtask
