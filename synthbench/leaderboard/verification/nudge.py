"""Initial weights changed in their last bits: how far rounding alone carries a training."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from synthbench.engine.training.replica_training import ReplicaTraining

LAST_BITS = 64
"""Largest change of a weight, in multiples of the epsilon of its precision (8e-6 in float32)."""
COARSEST = 2**-7
"""Largest relative change: the epsilon of bfloat16, in which no smaller one would be seen."""


class Nudge(pl.Callback):
    """Multiplies each initial weight by 1 + u, u uniform up to 64 epsilon on either side.

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
            reach = min(LAST_BITS * torch.finfo(weights.dtype).eps, COARSEST)
            shift = 2 * torch.rand(weights.shape, generator=draws, dtype=torch.float64) - 1
            # On CPU: not every device has double precision.
            weights.copy_(weights.cpu().double() * (1 + reach * shift))
