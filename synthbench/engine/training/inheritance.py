"""The weights that replicas take over from other cells: at the start, as masks, as teachers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.axis.state import State


@dataclass(frozen=True)
class Inherited:
    """Weights of other cells, stacked over the replicas that take them: leaves (R, ...).

    start: with which they begin. pruned: True where a weight is always zero, False elsewhere.
    teachers: one state for each checkpoint, in the order in which they teach.
    """

    start: State | None = None
    pruned: State | None = None
    teachers: tuple[State, ...] = ()

    def rows(self, replicas: Sequence[int]) -> Inherited:
        """What some replicas take, in the order given; a replica may be named twice."""
        return Inherited(
            None if self.start is None else rows_of_stack(self.start, replicas),
            None if self.pruned is None else rows_of_stack(self.pruned, replicas),
            tuple(rows_of_stack(teacher, replicas) for teacher in self.teachers),
        )

    @torch.no_grad()
    def begin(self, parameters: State, buffers: State) -> None:
        """Make stacked tensors what they are before the first step, in place."""
        for name, tensor in {**parameters, **buffers}.items():
            if self.start is not None and name in self.start:
                tensor.copy_(self.start[name])
        prune(self.masks(parameters), parameters)

    def masks(self, parameters: State) -> State:
        """Factors (R, ...) 0 and 1 of the parameters that are pruned, in their precision."""
        pruned = self.pruned or {}
        return {
            name: (~gone).to(parameters[name].device, parameters[name].dtype)
            for name, gone in pruned.items()
        }


def prune(masks: State, tensors: State) -> None:
    """Set what is pruned to zero, in place."""
    for name, mask in masks.items():
        tensors[name].detach().mul_(mask)


def pruned_gradients(masks: State, gradients: State) -> State:
    """Gradients in which a weight that is not there has none; to be clipped after this.

    Out of place: two parameters may share one gradient tensor.
    """
    return {n: g * masks[n] if n in masks else g for n, g in gradients.items()}


def smallest_weights(weights: State, sparsity: float, scope: str) -> State:
    """True at the share `sparsity` of each replica's weights that is smallest in magnitude.

    weights: (R, ...) by name; those with fewer than two axes in a replica are never pruned.
    scope: `global` ranks all of a replica's together, `layer` each tensor's alone. Of equal ones
    the first is removed; the number removed is rounded.
    """
    matrices = {name: w for name, w in weights.items() if w.dim() >= 3}
    groups = [list(matrices)] if scope == "global" else [[name] for name in matrices]
    pruned: State = {}
    for group in groups:
        flat = [matrices[name].abs().flatten(1) for name in group]
        lowest = _lowest(torch.cat(flat, 1), sparsity)
        gone = torch.split(lowest, [t.shape[1] for t in flat], dim=1)
        pruned |= {n: g.reshape(matrices[n].shape) for n, g in zip(group, gone, strict=True)}
    return {name: pruned[name] for name in matrices}


def _lowest(values: Tensor, share: float) -> Tensor:
    """(R, n) True at the round(share n) lowest values of each row."""
    count = round(share * values.shape[1])
    lowest = values.argsort(dim=1, stable=True)[:, :count]
    return torch.zeros_like(values, dtype=torch.bool).scatter_(1, lowest, True)
