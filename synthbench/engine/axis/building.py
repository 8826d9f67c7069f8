"""Building the modules of replicas, each from its own seed, as its author would."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.engine.axis.calling import call
from synthbench.errors import ModelError, SynthbenchError
from synthbench.streams import Purpose, Stream, seed_word


def build_modules(model: Model, interface: Interface, seeds: list[int]) -> list[nn.Module]:
    """Build and initialize one module per `init` seed, on CPU.

    Torch's global generator is seeded per replica inside a fork and left as it was, so a
    replica's weights depend on its own seed alone. Compiled modules are replaced by what was
    compiled, lazy ones initialized on two examples, and a module in half or double precision
    is converted to float32: the protocol's precision comes later. Raises ModelError when
    `build` fails, or seeds the generator itself.
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
            "begin alike; leave out torch.manual_seed, or pass on the replica's own seed, which is "
            "torch.initial_seed(): every replica is seeded before build"
        )
    return modules


def parameter_types(module: nn.Module) -> set[torch.dtype]:
    """The floating-point types of a module's parameters; several in one of mixed precision."""
    return {p.dtype for p in module.parameters() if p.is_floating_point()}


def _build(model: Model, interface: Interface) -> nn.Module:
    try:
        module: Any = model.build(interface)
        if isinstance(module, nn.Module):
            module = _bare(module)
            _initialize_lazy(module, interface)
    except Exception as error:
        kind = "" if isinstance(error, SynthbenchError) else f"{type(error).__name__}: "
        raise ModelError(
            f'model "{model.label()}" cannot be built for {interface.describe()}: {kind}{error}'
        ) from error
    if not isinstance(module, nn.Module):
        raise ModelError(f'"{model.name}".build must return a torch.nn.Module, got {module!r}')
    types = parameter_types(module)
    return module.float() if len(types) == 1 and types != {torch.float32} else module


def _bare(module: nn.Module) -> nn.Module:
    """What is inside `torch.compile` and `DataParallel`, at every level."""
    for name, child in module.named_children():
        inner = _bare(child)
        if inner is not child:
            setattr(module, name, inner)
    compiled = getattr(module, "_orig_mod", None)
    if isinstance(compiled, nn.Module):
        return compiled
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        inner_most: nn.Module = module.module
        return inner_most
    return module


@torch.no_grad()
def _initialize_lazy(module: nn.Module, interface: Interface) -> None:
    tensors = [*module.parameters(), *module.buffers()]
    if any(is_lazy(tensor) for tensor in tensors):
        # Two examples: batch normalization refuses one alone.
        call(module, interface.input.draw(Stream.from_seed(0, Purpose.INIT), 2))
