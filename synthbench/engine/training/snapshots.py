"""Copies of all replicas' weights at some evaluations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from synthbench.engine.axis.state import State

Snapshots = dict[int, State]
"""Optimizer step -> weights (R, ...) by name, on CPU."""


def snapshot(now: State, final: State, running: NDArray[np.bool_]) -> State:
    """The weights of those that run, and the last ones of those that have stopped.

    now: of those that run, in their order, on CPU; running: (R,). A replica that has diverged is
    NaN in `final`.
    """
    taken = {name: last.clone() for name, last in final.items()}
    for name, last in taken.items():
        last[torch.from_numpy(running)] = now[name]
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
