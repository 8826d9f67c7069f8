"""A step that is called once per replica."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.draws import OptimizerDraws
from synthbench.engine.optimizers.inner import InnerOptimizers
from synthbench.engine.optimizers.needs import OptimizerNeeds
from synthbench.engine.optimizers.step import ReplicaStep
from synthbench.errors import SynthbenchError


class LoopedStep(ReplicaStep):
    """R optimizers, each over one replica's own parameters."""

    def __init__(
        self,
        inner: list[InnerOptimizers],
        own: list[dict[str, nn.Parameter]],
        stacked: State,
        needs: OptimizerNeeds,
        draws: OptimizerDraws,
    ) -> None:
        """inner: each over its `own`, whose storage are slices of `stacked` (R, ...)."""
        self._inner, self._own, self._stacked = inner, own, stacked
        self._needs, self._draws, self._steps = needs, draws, 0

    def step(self, gradients: State | None, factor: float, alive: Tensor) -> None:
        """As `ReplicaStep`; one that raises ends its own replica, with a warning."""
        self._steps += 1
        drawing = self._draws.at(self._steps) if self._needs.draws else nullcontext()
        with drawing as drawn, torch.set_grad_enabled(self._needs.graph):
            for r, is_alive in enumerate(alive.tolist()):
                if not is_alive:
                    continue
                if drawn is not None:
                    drawn.seed(r)
                if gradients is not None:
                    for name, parameter in self._own[r].items():
                        parameter.grad = gradients[name][r]
                self._step_one(r, factor)

    def _step_one(self, r: int, factor: float) -> None:
        closure = self._closure(r)
        try:
            if closure is not None and self._needs.evaluated:
                closure()
            self._inner[r].step(factor, closure)
        except Exception as error:
            if is_out_of_memory(error) or isinstance(error, SynthbenchError):
                raise
            self._end(r, error)
        self._write_back(r)
        if self._needs.graph:
            # A gradient with a graph and its parameter hold one another.
            for parameter in self._own[r].values():
                parameter.grad = None

    def _closure(self, r: int) -> Callable[[], Tensor] | None:
        return torch.enable_grad()(self.closures[r]) if self.closures is not None else None

    def _end(self, r: int, error: Exception) -> None:
        if self.failure is None:
            warnings.warn(
                "a replica ends, as diverged: its optimizer's step raised "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        self.failure = error
        for name, parameter in self._own[r].items():
            parameter.data = self._stacked[name].detach()[r].fill_(torch.nan)

    def _write_back(self, r: int) -> None:
        """Where an optimizer has put a new tensor in place of the slice it was given."""
        for name, parameter in self._own[r].items():
            own = self._stacked[name].detach()[r]
            if parameter.data_ptr() != own.data_ptr():
                own.copy_(parameter.detach())
                parameter.data = own

    def narrow(self, rows: Sequence[int]) -> None:
        """As `ReplicaStep`."""
        self._inner = [self._inner[row] for row in rows]
        self._own = [self._own[row] for row in rows]
        self._draws.narrow(rows)

    def set_mode(self, training: bool) -> None:
        """As `ReplicaStep`."""
        for r, inner in enumerate(self._inner):
            inner.set_mode(training)
            self._write_back(r)

    def state(self) -> Any:
        """The number of steps and, for each replica, its optimizers' state dicts."""
        return {"steps": self._steps, "inner": [inner.state() for inner in self._inner]}

    def load(self, state: Any) -> None:
        """As `ReplicaStep`."""
        self._steps = state["steps"]
        for inner, saved in zip(self._inner, state["inner"], strict=True):
            inner.load(saved)
