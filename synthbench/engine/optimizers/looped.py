"""A step that is called once per replica."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.inner import InnerOptimizers
from synthbench.engine.optimizers.step import ReplicaStep


class LoopedStep(ReplicaStep):
    """R optimizers, each over one replica's slices of the stacked parameters."""

    def __init__(self, optimizer: Optimizer, recipe: Recipe, stacked: State) -> None:
        self._stacked = stacked
        self._slices = [
            {name: nn.Parameter(p.detach()[r]) for name, p in stacked.items()}
            for r in range(next(iter(stacked.values())).shape[0])
        ]
        self._inner = [InnerOptimizers(optimizer, recipe, own) for own in self._slices]

    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """As `ReplicaStep`; one that raises ends its own replica, with a warning."""
        for r, alive in enumerate(finite.tolist()):
            if not alive:
                continue
            for name, parameter in self._slices[r].items():
                parameter.grad = gradients[name][r]
            try:
                self._inner[r].step(factor)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                self._end(r, error)
            self._write_back(r)

    def _end(self, r: int, error: Exception) -> None:
        if self.failure is None:
            warnings.warn(
                "a replica ends, as diverged: its optimizer's step raised "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        self.failure = error
        for name, parameter in self._slices[r].items():
            parameter.data = self._stacked[name].detach()[r].fill_(torch.nan)

    def _write_back(self, r: int) -> None:
        """Where an optimizer has put a new tensor in place of the slice it was given."""
        for name, parameter in self._slices[r].items():
            own = self._stacked[name].detach()[r]
            if parameter.data_ptr() != own.data_ptr():
                own.copy_(parameter.detach())
                parameter.data = own

    def state(self) -> Any:
        """For each replica, its optimizers' state dicts."""
        return [inner.state() for inner in self._inner]

    def load(self, state: Any) -> None:
        """As `ReplicaStep`."""
        for inner, saved in zip(self._inner, state, strict=True):
            inner.load(saved)
