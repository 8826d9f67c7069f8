"""R copies of one module, as one stacked set of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.contracts.port import Port
from synthbench.contracts.probe import Activations
from synthbench.engine.axis.activations import recorded
from synthbench.engine.axis.building import build_modules, parameter_types
from synthbench.engine.axis.calling import call_with
from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.engine.axis.output import read_output
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.stacked_forms import STACKED_FORMS
from synthbench.engine.axis.state import State
from synthbench.errors import ModelError
from synthbench.streams import NoiseStream

T = TypeVar("T")


class Network(Protocol):
    """The network of one replica, as scores and probes use it."""

    def forward(
        self,
        parameters: State,
        buffers: State,
        x: Tensor,
        training: bool = False,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Its output; noise: () the key of the numbers it draws, by default always the same."""

    def record(self, parameters: State, buffers: State, x: Tensor) -> Activations:
        """Its activations on x, in evaluation mode."""


@dataclass
class Replicas:
    """A module without storage, and the stacked parameters and buffers (R, ...) that fill it.

    output: what the task wants of it. mixed: whether its parameters are of several types, which
    it then keeps.
    """

    skeleton: nn.Module
    parameters: State
    buffers: State
    output: Port
    mixed: bool = False

    def forward(
        self,
        parameters: State,
        buffers: State,
        x: Tensor,
        training: bool = False,
        noise: Tensor | None = None,
    ) -> Tensor:
        """As `Network`; parameters and buffers are the replica's own.

        training: the mode of the module, as `nn.Module.train` sets it.
        """
        if self.skeleton.training is not training:
            self.skeleton.train(training)
        with intercepting(noise, x):
            returned = call_with(self.skeleton, {**parameters, **buffers}, x)
        return read_output(returned, self.output, x.shape[0])

    def record(self, parameters: State, buffers: State, x: Tensor) -> Activations:
        """As `Network`."""
        if self.skeleton.training:
            self.skeleton.train(False)
        with intercepting(None, x), recorded(self.skeleton) as activations:
            call_with(self.skeleton, {**parameters, **buffers}, x)
        return activations

    def lift(self, function: Callable[..., T]) -> Callable[..., T]:
        """`function(network, ...)` of one replica, over stacked arguments (R, ...)."""
        return over_replicas(partial(function, self))

    def to(self, dtype: torch.dtype) -> Replicas:
        """The same replicas with floating-point tensors in another precision."""
        return self._with(lambda t: t.to(dtype) if t.is_floating_point() and not self.mixed else t)

    def tile(self, width: int) -> Replicas:
        """`width` copies of the first replica, for timing."""
        return self._with(lambda t: t.detach()[:1].repeat(width, *[1] * (t.dim() - 1)))

    def with_state(self, parameters: State, buffers: State) -> Replicas:
        """The same module with other stacked tensors."""
        return Replicas(self.skeleton, parameters, buffers, self.output, self.mixed)

    def _with(self, change: Callable[[Tensor], Tensor]) -> Replicas:
        return self.with_state(
            {name: change(tensor) for name, tensor in self.parameters.items()},
            {name: change(tensor) for name, tensor in self.buffers.items()},
        )


def intercepting(noise: Tensor | None, x: Tensor) -> ReplicaFunctions:
    """The functions that a stacked replica's forward pass calls; noise: the key of its numbers."""
    key = torch.zeros((), dtype=torch.int64, device=x.device) if noise is None else noise
    return ReplicaFunctions(NoiseStream(key), STACKED_FORMS)


def true_dtype(precision: str) -> torch.dtype:
    """The type of weights and data under Lightning's precision flag.

    Lightning converts the module itself, but only after it has loaded a checkpoint into it.
    """
    return {"64-true": torch.float64, "bf16-true": torch.bfloat16}.get(precision, torch.float32)


def stacked_replicas(model: Model, interface: Interface, seeds: list[int]) -> Replicas:
    """Modules built from these seeds, stacked; ModelError if they cannot be."""
    return stack_modules(model, build_modules(model, interface, seeds), interface)


def stack_modules(model: Model, modules: list[nn.Module], interface: Interface) -> Replicas:
    """Stack the modules' parameters and buffers; ModelError if they cannot be stacked."""
    parameters, buffers = stacked_state(model, modules)
    try:
        skeleton = _without_storage(modules[0])
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ModelError(f'model "{model.label()}" cannot be stacked: {reason}') from error
    mixed = len(parameter_types(modules[0])) > 1
    return Replicas(skeleton, parameters, buffers, interface.output, mixed)


def stacked_state(
    model: Model,
    modules: Sequence[nn.Module],
    stack: Callable[[list[Tensor]], Tensor] = torch.stack,
) -> tuple[State, State]:
    """Parameters that are trained, and buffers with frozen parameters: (R, ...) by name.

    stack: how R tensors become one. Raises ModelError for modules without parameters to train,
    with complex ones, or that differ in the names or shapes of their tensors.
    """
    for name, parameter in modules[0].named_parameters():
        if parameter.requires_grad and parameter.is_complex():
            raise ModelError(
                f'model "{model.label()}" has the complex parameter "{name}"; keep its real and '
                "imaginary part in a real one, and use torch.view_as_complex"
            )
    trained = trained_parameters(modules[0])
    if not trained:
        raise ModelError(f'model "{model.name}" has no parameters to train')
    states = [tensors_of(module) for module in modules]
    if any(_shapes(state) != _shapes(states[0]) for state in states):
        raise ModelError(
            f'model "{model.label()}" builds replicas whose tensors differ in name or shape; the '
            "seed may decide their values alone"
        )
    stacked = {name: stack([state[name].detach() for state in states]) for name in states[0]}
    return (
        {name: tensor for name, tensor in stacked.items() if name in trained},
        {name: tensor for name, tensor in stacked.items() if name not in trained},
    )


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """A module's own parameters that are trained, by name."""
    return {name: p for name, p in module.named_parameters() if is_trained(p)}


def is_trained(parameter: nn.Parameter) -> bool:
    """Frozen parameters and integer ones ride along with the buffers."""
    return parameter.requires_grad and parameter.is_floating_point()


def tensors_of(module: nn.Module) -> State:
    """A module's parameters and buffers, by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _shapes(state: Mapping[str, Tensor]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in state.items()]


def _without_storage(module: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers are on the meta device; tied ones stay tied.

    (`module.to("meta")` makes a tensor of its own for every use of a tied parameter.)
    """
    memo: dict[int, Any] = {}
    for parameter in module.parameters():
        empty = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(empty, parameter.requires_grad)
    for buffer in module.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(module, memo)
