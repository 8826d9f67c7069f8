"""Initial weights changed in their last bits: how far rounding alone carries a training."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from synthbench.engine.training.replica_training import ReplicaTraining

LAST_BITS = 64
"""Largest change of a weight, in multiples of the epsilon of its precision (8e-6 in float32)."""


class Nudge(pl.Callback):
    """Multiplies each initial weight by 1 + k eps, k uniform in -64, ..., 64.

    That is some tens of roundings, so whatever the rounding of another machine can do to a
    replica (a unit that crosses its kink, a sample that crosses its margin, and what grows from
    it) this does sooner. Where nothing grows, it is soon forgotten.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @torch.no_grad()
    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Before the first evaluation, and before what probes take for the initial weights."""
        assert isinstance(pl_module, ReplicaTraining)
        draws = torch.Generator().manual_seed(self._seed)
        for weights in pl_module.parameters_by_name.values():
            bits = torch.randint(-LAST_BITS, LAST_BITS + 1, weights.shape, generator=draws)
            eps = torch.finfo(weights.dtype).eps
            weights.mul_((1 + eps * bits.to(weights.device)).to(weights.dtype))
