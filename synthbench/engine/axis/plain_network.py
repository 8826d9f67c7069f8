"""One replica's module, called as its author would call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.port import Port
from synthbench.contracts.probe import Activations
from synthbench.engine.axis.activations import recorded
from synthbench.engine.axis.calling import call, call_with
from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.engine.axis.output import read_output
from synthbench.engine.axis.replicas import trained_parameters
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Draws
from synthbench.engine.generators import (
    GlobalRandomState,
    generators_restored,
    seed_everything,
)
from synthbench.streams import NoiseStream

T = TypeVar("T")

NO_GRAPH = "does not require grad"
"""In what torch says to a forward pass that differentiates while no graph is recorded."""


class PlainNetwork:
    """One replica's module, called as it is while its own tensors are meant."""

    def __init__(self, module: nn.Module, output: Port, draws: Draws) -> None:
        """output: what the task wants; draws: the random numbers that have to be provided for."""
        self.module, self.output = module, output
        self.draws, self.drew = draws, Draws()
        self._differentiates = False
        self.parameters = trained_parameters(module)

    def forward(
        self,
        parameters: State,
        buffers: State,
        x: Tensor,
        training: bool = False,
        noise: Tensor | None = None,
    ) -> Tensor:
        """As `Network`; with the tensors given, where they are others than the module's."""
        if self.module.training is not training:
            self.module.train(training)
        own = all(_in_one_place(parameters[n], p) for n, p in self.parameters.items())

        def output() -> Tensor:
            with self._drawing(noise):
                if own:
                    returned = call(self.module, x)
                else:
                    returned = call_with(self.module, {**parameters, **buffers}, x)
            return read_output(returned, self.output, x.shape[0])

        found = self._evaluated(output)
        return found if torch.is_grad_enabled() else found.detach()

    def loss(self, loss: Loss, batch: Batch, noise: Tensor) -> Tensor:
        """The training loss on one batch, with the module's own tensors."""
        if not self.module.training:
            self.module.train()
        with self._drawing(noise):
            returned = call(self.module, batch.x)
        return loss(read_output(returned, self.output, batch.x.shape[0]), batch)

    def record(self, parameters: State, buffers: State, x: Tensor) -> Activations:
        """As `Network`."""
        if self.module.training:
            self.module.train(False)

        def activations() -> Activations:
            with self._drawing(None), recorded(self.module) as found:
                call_with(self.module, {**parameters, **buffers}, x)
            return found

        return self._evaluated(activations)

    def _evaluated(self, function: Callable[[], T]) -> T:
        """What it returns; a graph is recorded where the forward pass differentiates itself."""
        if not self._differentiates:
            try:
                return function()
            except RuntimeError as error:
                if torch.is_grad_enabled() or NO_GRAPH not in str(error):
                    raise
                self._differentiates = True
        with torch.enable_grad():
            return function()

    @contextmanager
    def _drawing(self, noise: Tensor | None) -> Iterator[None]:
        if not (self.draws.intercepted or self.draws.generators):
            yield
            return
        device = next(iter(self.parameters.values())).device
        key = torch.zeros((), dtype=torch.int64, device=device) if noise is None else noise
        stream = NoiseStream(key)
        with ExitStack() as stack:
            if self.draws.generators:
                stack.enter_context(generators_restored(key.device))
                seed_everything(int(key) % 2**64, key.device)
                stack.callback(self._notice, stream, GlobalRandomState.now())
            if self.draws.intercepted:
                stack.enter_context(ReplicaFunctions(stream))
            yield

    def _notice(self, stream: NoiseStream, seeded: GlobalRandomState) -> None:
        """Remember what was drawn, which is watched while generators are seeded."""
        self.drew = Draws(
            self.drew.intercepted or stream.calls > 0,
            self.drew.generators or bool(seeded.moved()),
        )


def _in_one_place(one: Tensor, other: Tensor) -> bool:
    try:
        return one.data_ptr() == other.data_ptr()
    except RuntimeError:
        # Under a transform of `torch.func`, as a probe may use, a tensor has no place.
        return False
