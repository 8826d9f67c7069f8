"""Tracing a function of stacked tensors once and running what was recorded.

Under `torch.vmap` most of a small network's step is Python: entering the transforms,
swapping parameters into the module, building the autograd graph. The tensor operations are
recorded once; replaying them costs a few microseconds each and gives the same bits
(nothing is compiled). It nearly doubles the throughput of small networks on CPU. `compiling`
runs them faster still, with other last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, TypeVarTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from synthbench.engine.axis.recording import Recorder, Recording

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
Execute = Callable[[Recording, Sequence[Tensor]], Callable[..., list[Any]]]
"""(recording, its inputs for the first time) -> a function of inputs that gives the outputs."""


def replayed(recording: Recording, _: Sequence[Tensor]) -> Callable[..., list[Any]]:
    """Do the recorded operations one after the other."""
    program = recording.program
    # Torch's own function, without the Python around it.
    scope = {
        name: value._op if isinstance(value, torch._ops.OpOverload) else value
        for name, value in program.scope.items()
    }
    return program.function(recording.inputs, recording.outputs, scope)


def traced(function: Callable[[*Ts], T], execute: Execute = replayed) -> Callable[[*Ts], T]:
    """A function that is traced at its first call with tensors of some shapes on a device.

    It must be a function of its tensors alone. execute: what becomes of the recording.
    """
    recorded: Any = Traces(function, execute).bound()
    return recorded  # type: ignore[no-any-return]


class Traces:
    """The traces of a function of tensors, by the shapes of its arguments."""

    def __init__(self, function: Callable[..., Any], execute: Execute = replayed) -> None:
        """As `traced`."""
        self._function, self._execute = function, execute
        self._found: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def bound(self, *first: Any) -> Callable[..., Any]:
        """The function of its other arguments, the first ones being the same at every call."""
        given = tree_leaves(first)
        kinds = [(leaf.shape, leaf.dtype) for leaf in given]
        found: dict[tuple[Any, ...], Callable[..., Any]] = {}

        @torch.no_grad()
        def run(*others: Any) -> Any:
            leaves = tree_leaves(others)
            own = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
            device = (given or leaves)[0].device
            if own not in found:
                kind = (device, *kinds, *own)
                found[own] = self._trace(kind, (*first, *others))
            # The trace holds the casts already; cast again, what was in float32 would be lost.
            if not torch.is_autocast_enabled(device.type):
                return found[own](*given, *leaves)
            with torch.autocast(device.type, enabled=False):
                return found[own](*given, *leaves)

        return run

    def _trace(self, kind: tuple[Any, ...], arguments: tuple[Any, ...]) -> Callable[..., Any]:
        if kind not in self._found:
            # Tracing runs the function; on copies, so that buffers do not count it twice.
            copies = tree_map(lambda leaf: leaf.detach().clone(), arguments)
            recording, structure = _recorded(self._function, copies)
            with torch.autocast(kind[0].type, enabled=False):
                program = self._execute(recording, tree_leaves(arguments))
            self._found[kind] = lambda *leaves: tree_unflatten(program(*leaves), structure)
        return self._found[kind]


def _recorded(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Recording, Any]:
    """What this call does, and the structure of its results."""
    with Recorder(tree_leaves(arguments)) as recorder:
        results, structure = tree_flatten(function(*arguments))
    return recorder.recording(results), structure
