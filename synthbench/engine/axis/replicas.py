"""R copies of one module, as one stacked set of tensors."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from synthbench.contracts.dropout import Dropout, number_dropouts
from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Activations
from synthbench.engine.axis.activations import recorded
from synthbench.errors import ModelError, SynthbenchError
from synthbench.streams import Purpose, seed_word

State = dict[str, Tensor]


@dataclass
class Replicas:
    """A module without storage, and the stacked parameters and buffers (R, ...) that fill it."""

    skeleton: nn.Module
    parameters: State
    buffers: State

    @property
    def noise_buffers(self) -> list[str]:
        """Names of the buffers that tell dropout layers which masks to draw."""
        return [
            f"{name}.stream" if name else "stream"
            for name, module in self.skeleton.named_modules()
            if isinstance(module, Dropout)
        ]

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

    def record(self, parameters: State, buffers: State, x: Tensor) -> Activations:
        """One replica's activations on x, in evaluation mode."""
        if self.skeleton.training:
            self.skeleton.train(False)
        with recorded(self.skeleton) as activations:
            functional_call(self.skeleton, (parameters, buffers), (x,))
        return activations

    def to(self, dtype: torch.dtype) -> Replicas:
        """The same replicas with floating-point tensors in another precision."""
        return Replicas(
            self.skeleton,
            {name: tensor.to(dtype) for name, tensor in self.parameters.items()},
            {n: t.to(dtype) if t.is_floating_point() else t for n, t in self.buffers.items()},
        )

    def tile(self, width: int) -> Replicas:
        """`width` copies of the first replica, for timing."""
        return Replicas(
            self.skeleton,
            {name: _tiled(tensor, width) for name, tensor in self.parameters.items()},
            {name: _tiled(tensor, width) for name, tensor in self.buffers.items()},
        )


def true_dtype(precision: str) -> torch.dtype:
    """The type of weights and data under Lightning's precision flag.

    Lightning converts the module itself, but only after it has loaded a checkpoint into it.
    """
    return {"64-true": torch.float64, "bf16-true": torch.bfloat16}.get(precision, torch.float32)


def _tiled(tensor: Tensor, width: int) -> Tensor:
    return tensor.detach()[:1].repeat(width, *[1] * (tensor.dim() - 1))


def build_modules(model: Model, interface: Interface, seeds: list[int]) -> list[nn.Module]:
    """Build and initialize one module per `init` seed, on CPU.

    Torch's global generator is seeded per replica inside a fork and left as it was, so a
    replica's weights depend on its own seed alone. Raises ModelError when `build` fails, or
    seeds the generator itself.
    """
    modules: list[nn.Module] = []
    left: dict[int, Tensor] = {}
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.default_generator.manual_seed(seed_word(seed, Purpose.INIT))
            modules.append(_build(model, interface))
            left[seed] = torch.default_generator.get_state()
    states = list(left.values())
    # From different seeds, only seeding can lead to the same state.
    if any(torch.equal(state, states[0]) for state in states[1:]):
        raise ModelError(
            f'model "{model.label()}" seeds torch\'s generator when it is built, so that replicas '
            "begin alike; leave out torch.manual_seed: every replica is seeded before build"
        )
    return modules


def stack_modules(model: Model, modules: list[nn.Module]) -> Replicas:
    """Stack the modules' parameters and buffers; ModelError if they cannot be stacked."""
    for name, parameter in modules[0].named_parameters():
        if parameter.requires_grad and parameter.is_complex():
            raise ModelError(
                f'model "{model.label()}" has the complex parameter "{name}"; keep its real and '
                "imaginary part in a real one, and use torch.view_as_complex"
            )
    trained = {name for name, p in modules[0].named_parameters() if _is_trained(p)}
    if not trained:
        raise ModelError(f'model "{model.name}" has no parameters to train')
    try:
        parameters, buffers = stack_module_state(modules)
        skeleton = _without_storage(modules[0])
    except Exception as error:
        reason = " ".join(str(error).split())
        if len({type(module) for module in modules}) > 1:
            reason = "every replica has a module class of its own; define the class outside build"
        raise ModelError(f'model "{model.label()}" cannot be stacked: {reason}') from error
    fixed = {name: tensor for name, tensor in parameters.items() if name not in trained}
    return Replicas(
        skeleton,
        {name: parameters[name].detach() for name in parameters if name in trained},
        {name: tensor.detach() for name, tensor in {**buffers, **fixed}.items()},
    )


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


def _is_trained(parameter: nn.Parameter) -> bool:
    """Frozen parameters and integer ones ride along with the buffers."""
    return parameter.requires_grad and parameter.is_floating_point()


def _build(model: Model, interface: Interface) -> nn.Module:
    try:
        module: Any = model.build(interface)
    except Exception as error:
        kind = "" if isinstance(error, SynthbenchError) else f"{type(error).__name__}: "
        raise ModelError(
            f'model "{model.label()}" cannot be built for {interface.describe()}: {kind}{error}'
        ) from error
    if not isinstance(module, nn.Module):
        raise ModelError(f'"{model.name}".build must return a torch.nn.Module, got {module!r}')
    number_dropouts(module)
    return module
