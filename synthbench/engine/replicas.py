"""R copies of one module, as one stacked set of tensors."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from synthbench.errors import ModelError
from synthbench.interface import Interface
from synthbench.model import Model
from synthbench.streams import Purpose, seed_word

State = dict[str, Tensor]


@dataclass
class Replicas:
    """A module without storage, and the stacked parameters and buffers (R, ...) that fill it."""

    skeleton: nn.Module
    parameters: State
    buffers: State

    def forward(
        self, parameters: State, buffers: State, x: Tensor, training: bool = False
    ) -> Tensor:
        """One replica's output; parameters and buffers are that replica's own.

        training: the mode of the module, as `nn.Module.train` sets it.
        """
        if self.skeleton.training is not training:
            self.skeleton.train(training)
        output = functional_call(self.skeleton, (parameters, buffers), (x,))
        if not isinstance(output, Tensor):
            raise ModelError(f"forward must return a tensor, got {type(output).__name__}")
        return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output

    def tile(self, width: int) -> Replicas:
        """`width` copies of the first replica, for timing."""
        return Replicas(
            self.skeleton,
            {name: _tiled(tensor, width) for name, tensor in self.parameters.items()},
            {name: _tiled(tensor, width) for name, tensor in self.buffers.items()},
        )


def _tiled(tensor: Tensor, width: int) -> Tensor:
    return tensor.detach()[:1].repeat(width, *[1] * (tensor.dim() - 1))


def build_replicas(model: Model, interface: Interface, seeds: list[int]) -> Replicas:
    """Build and initialize one module per `init` seed, on CPU, and stack them.

    Torch's global generator is seeded per replica inside a fork and left as it was, so a
    replica's weights depend on its own seed alone. Raises ModelError when `build` fails.
    """
    modules = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.default_generator.manual_seed(seed_word(seed, Purpose.INIT))
            modules.append(_build(model, interface))
    parameters, buffers = stack_module_state(modules)
    trained = {name for name, p in modules[0].named_parameters() if _is_trained(p)}
    if not trained:
        raise ModelError(f'model "{model.name}" has no parameters to train')
    fixed = {name: tensor for name, tensor in parameters.items() if name not in trained}
    return Replicas(
        copy.deepcopy(modules[0]).to("meta"),
        {name: parameters[name].detach() for name in parameters if name in trained},
        {name: tensor.detach() for name, tensor in {**buffers, **fixed}.items()},
    )


def _is_trained(parameter: nn.Parameter) -> bool:
    """Frozen parameters and integer ones ride along with the buffers."""
    return parameter.requires_grad and parameter.is_floating_point()


def _build(model: Model, interface: Interface) -> nn.Module:
    try:
        module: Any = model.build(interface)
    except Exception as error:
        raise ModelError(
            f'model "{model.label()}" cannot be built for {interface.describe()}: {error}'
        ) from error
    if not isinstance(module, nn.Module):
        raise ModelError(f'"{model.name}".build must return a torch.nn.Module, got {module!r}')
    return module
