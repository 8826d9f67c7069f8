"""Copies of all replicas' weights at some evaluations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from synthbench.engine.axis.state import State

Snapshots = dict[int, State]
"""Optimizer step -> weights (R, ...) by name, on CPU."""


def snapshot(now: State, final: State, running: Tensor) -> State:
    """The weights of those that run, and the last ones of those that have stopped.

    running: (R,) bool, on CPU. A replica that has diverged is NaN in `final`.
    """
    taken = {name: last.clone() for name, last in final.items()}
    for name, last in taken.items():
        last[running] = now[name].detach()[running.to(now[name].device)].cpu()
    return taken


def named_snapshots(taken: Snapshots, steps: Iterable[int], final: State) -> State:
    """`STEP/NAME` -> weights, as they are stored; a step that nobody reached has the last ones."""
    named: Mapping[int, State] = {step: taken.get(step, final) for step in steps}
    return {
        # A file holds no tensor twice.
        f"{step}/{name}": tensor if step in taken else tensor.clone()
        for step, state in named.items()
        for name, tensor in state.items()
    }
