"""Weights changed in their last bits, again and again: how far rounding alone carries training."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from synthbench.engine.training.replica_training import ReplicaTraining

LAST_BITS = 64
"""Largest change of a weight, in multiples of the epsilon of its precision (8e-6 in float32)."""
COARSEST = 2**-7
"""Largest relative change: the epsilon of bfloat16, in which no smaller one would be seen."""


class Nudge(pl.Callback):
    """Multiplies weights by 1 + u at the start and after every evaluation, u within 64 epsilon.

    u is uniform, of each weight its own. That is some tens of roundings, so what the rounding of
    another machine can do to a replica (a unit that crosses its kink, a sample that crosses its
    margin, and what grows from it) this does sooner. Not at the start alone: where training
    forgets what it began with, a machine still rounds otherwise in every step.
    """

    def __init__(self, seed: int) -> None:
        self._draws = torch.Generator().manual_seed(seed)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Before the first evaluation, and before what probes take for the initial weights."""
        self._nudge(pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """An epoch ends with an evaluation, which the change comes after."""
        self._nudge(pl_module)

    @torch.no_grad()
    def _nudge(self, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, ReplicaTraining)
        for weights in pl_module.parameters_by_name.values():
            reach = min(LAST_BITS * torch.finfo(weights.dtype).eps, COARSEST)
            shift = 2 * torch.rand(weights.shape, generator=self._draws, dtype=torch.float64) - 1
            # On CPU: not every device has double precision.
            weights.copy_(weights.cpu().double() * (1 + reach * shift))
