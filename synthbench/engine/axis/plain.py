"""R ordinary modules, trained one after the other as a plain loop would train them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map, tree_structure, tree_unflatten

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.engine.axis.aligned import aligned_empty, aligned_row, aligned_stack
from synthbench.engine.axis.attributes import Attributes, attributes_of, set_attributes
from synthbench.engine.axis.building import parameter_types
from synthbench.engine.axis.one_by_one import OneByOne
from synthbench.engine.axis.plain_network import PlainNetwork
from synthbench.engine.axis.replicas import stacked_state, tensors_of
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import NOTHING_DRAWN, Draws

T = TypeVar("T")

CONVERTED: Mapping[torch.dtype, Callable[[nn.Module], nn.Module]] = {
    torch.float32: nn.Module.float,
    torch.float64: nn.Module.double,
    torch.bfloat16: nn.Module.bfloat16,
}
"""Precision -> the module with its floating-point numbers in it; not so complex ones."""


@dataclass
class PlainReplicas:
    """Modules whose parameters and buffers lie in the rows of stacked tensors (R, ...).

    parameters, buffers: the stacked tensors. running: which replicas still train; the others
    are passed over, and their results are NaN.
    """

    networks: list[PlainNetwork]
    parameters: State
    buffers: State
    running: Sequence[bool]

    @classmethod
    def of(
        cls,
        model: Model,
        modules: list[nn.Module],
        interface: Interface,
        draws: Draws = NOTHING_DRAWN,
        dtype: torch.dtype = torch.float32,
    ) -> PlainReplicas:
        """Modules as they were built; ModelError where their tensors differ in name or shape.

        dtype: what they are converted to, unless their parameters are of several types.
        """
        if len(parameter_types(modules[0])) == 1:
            modules = [CONVERTED[dtype](module) for module in modules]
        parameters, buffers = stacked_state(model, modules, aligned_stack)
        networks = [PlainNetwork(module, interface.output, draws) for module in modules]
        replicas = cls(networks, parameters, buffers, [True] * len(modules))
        replicas.adopt(parameters, buffers)
        return replicas

    @torch.no_grad()
    def adopt(self, parameters: State, buffers: State) -> None:
        """Let the modules' tensors lie in the rows of these, whose values they take."""
        self.parameters, self.buffers = parameters, buffers
        self._gradients = {
            name: aligned_empty(len(self.networks), tensor.detach()[0]).zero_()
            for name, tensor in parameters.items()
        }
        self._own_gradients = [
            {name: tensor[r] for name, tensor in self._gradients.items()}
            for r in range(len(self.networks))
        ]
        self._steps = OneByOne()
        device = next(iter(parameters.values())).device
        for r, network in enumerate(self.networks):
            # What the module keeps in other tensors, those in its buffers' places among them.
            network.module.to(device)
            for name, parameter in network.parameters.items():
                parameter.data = parameters[name].detach()[r]
                parameter.grad = self._own_gradients[r][name]
            for name, tensor in self._unstacked(network).items():
                tensor.data = buffers[name][r]

    def gather_buffers(self) -> None:
        """Write into the stacked buffers what modules have put in the places of their rows."""
        for r, network in enumerate(self.networks):
            for name, tensor in self._unstacked(network).items():
                row = self.buffers[name][r]
                if tensor.data_ptr() != row.data_ptr() and tensor.shape == row.shape:
                    row.copy_(tensor.detach())

    def gradients(
        self, loss: Loss, batch: Batch, noise: Tensor, graph: bool = False
    ) -> tuple[State, Tensor]:
        """Gradients (R, ...) by name and losses (R,) of one step; batch and noise: (R, ...).

        A replica whose pass raises gets NaN. graph: leave gradients that can be differentiated
        in the modules' parameters.
        """
        columns = [leaf.unbind() for leaf in (*tree_leaves(batch), noise)]
        structure = tree_structure(batch)

        def step(r: int) -> Tensor:
            *leaves, key = [column[r] for column in columns]
            own = tree_unflatten([aligned_row(leaf) for leaf in leaves], structure)
            return self._differentiate(r, loss, own, key, graph)

        running = enumerate(self.running)
        losses: Tensor = self._steps(partial(step, r) if runs else None for r, runs in running)
        for r in self._steps.failed:
            for tensor in self._own_gradients[r].values():
                tensor.fill_(torch.nan)
        return self._gradients, losses

    def attributes(self) -> list[Attributes]:
        """What each module keeps in plain attributes: for a checkpoint."""
        return [attributes_of(network.module) for network in self.networks]

    def set_attributes(self, saved: Sequence[Attributes]) -> None:
        """Take back what `attributes` gave."""
        for network, own in zip(self.networks, saved, strict=True):
            set_attributes(network.module, own)

    def lift(self, function: Callable[..., T]) -> Callable[..., T]:
        """`function(network, ...)` of one replica, over stacked arguments (R, ...)."""
        one_by_one = OneByOne()

        def lifted(*arguments: Any) -> Any:
            return one_by_one(
                partial(function, network, *_row(arguments, r)) if running else None
                for r, (network, running) in enumerate(
                    zip(self.networks, self.running, strict=True)
                )
            )

        return lifted

    def differentiate(
        self, r: int, loss: Loss, batch: Batch, noise: Tensor, graph: bool = False
    ) -> Tensor:
        """The loss of one replica, whose gradients are in its parameters afterwards.

        batch and noise: of all replicas, (R, ...). graph: so that gradients can be differentiated.
        """
        return self._differentiate(r, loss, _row(batch, r), noise[r], graph)

    def _differentiate(
        self, r: int, loss: Loss, batch: Batch, noise: Tensor, graph: bool
    ) -> Tensor:
        network, own = self.networks[r], self._own_gradients[r]
        for name, parameter in network.parameters.items():
            own[name].zero_()
            parameter.grad = None if graph else own[name]
        with torch.enable_grad():
            value = _full_precision_backward(
                partial(network.loss, loss, batch, noise), noise, graph
            )
        for name, parameter in network.parameters.items():
            # A hook, or the module itself, may have put another tensor there.
            if parameter.grad is not own[name] and parameter.grad is not None:
                own[name].copy_(parameter.grad.detach())
        return value.detach()

    def _unstacked(self, network: PlainNetwork) -> State:
        every = tensors_of(network.module)
        return {name: every[name] for name in self.buffers if name in every}


def _full_precision_backward(loss: Callable[[], Tensor], noise: Tensor, graph: bool) -> Tensor:
    """The loss, and its gradients in the parameters; autocast, if it is on, is for the former."""
    kind = noise.device.type
    if not torch.is_autocast_enabled(kind):
        value = loss()
        value.backward(create_graph=graph)  # type: ignore[no-untyped-call]
        return value
    # What autocast remembers of a weight would outlast the step that changes it.
    with torch.autocast(kind, torch.get_autocast_dtype(kind), cache_enabled=False):
        value = loss()
    with torch.autocast(kind, enabled=False):
        value.backward(create_graph=graph)  # type: ignore[no-untyped-call]
    return value


def _row(stacked: Any, replica: int) -> Any:
    """One replica's part, in memory of its own where its row is not aligned as a tensor is."""
    return tree_map(lambda tensor: aligned_row(tensor[replica]), stacked)
