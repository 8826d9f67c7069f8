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
    return program.function(recording.inputs, recording.outputs, program.scope)


def traced(function: Callable[[*Ts], T], execute: Execute = replayed) -> Callable[[*Ts], T]:
    """A function that is traced at its first call with tensors of some shapes on a device.

    It must be a function of its tensors alone. execute: what becomes of the recording.
    """
    found: dict[tuple[Any, ...], Callable[..., Any]] = {}

    @torch.no_grad()
    def run(*arguments: *Ts) -> Any:
        leaves = tree_leaves(arguments)
        kind = leaves[0].device, *((leaf.shape, leaf.dtype) for leaf in leaves)
        if kind not in found:
            # Tracing runs the function; on copies, so that buffers do not count it twice.
            copies = tree_map(lambda leaf: leaf.detach().clone(), arguments)
            recording, structure = _recorded(function, copies)
            with torch.autocast(kind[0].type, enabled=False):
                program = execute(recording, leaves)
            found[kind] = lambda leaves: tree_unflatten(program(*leaves), structure)
        # The trace holds the casts already; cast again, what was kept in float32 would be lost.
        with torch.autocast(kind[0].type, enabled=False):
            return found[kind](leaves)

    return run


def _recorded(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Recording, Any]:
    """What this call does, and the structure of its results."""
    with Recorder(tree_leaves(arguments)) as recorder:
        results, structure = tree_flatten(function(*arguments))
    return recorder.recording(results), structure
