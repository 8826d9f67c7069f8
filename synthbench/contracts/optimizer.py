"""The Optimizer contract: how one replica's parameters change, given their gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from synthbench.contracts.configuration import Configuration

if TYPE_CHECKING:
    import torch
    from torch import nn

    from synthbench.contracts.recipe import Recipe


class Optimizer(Configuration, ABC):
    """Builds ordinary torch optimizers for a single replica; the engine adds the replica axis.

    Its fields are what the recipe does not have: the recipe keeps the learning rate, its
    schedule, weight decay and clipping. The step is vmapped over replicas where that gives each
    the numbers it would have had alone, and looped otherwise. What has to survive a checkpoint
    is kept in `state` and `param_groups`: tensors, numbers, lists and dicts. Registered with
    `register_optimizers`, chosen with `'mlp optimizer=muon optimizer.momentum=0.9 lr=0.02'`.
    """

    looped: ClassVar[bool] = False
    """True where the step has to be called for one replica at a time, though a trial of a few
    steps can be vmapped."""

    @abstractmethod
    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: Recipe
    ) -> torch.optim.Optimizer | Sequence[torch.optim.Optimizer]:
        """Optimizers that together hold every parameter of one replica exactly once.

        parameters: those that are trained, by the names of the author's module. recipe: its
        `lr` is the peak; the engine multiplies the learning rate of every group by the schedule.
        `step()` is called without a closure, under `torch.no_grad`, with gradients that are dense.
        """
