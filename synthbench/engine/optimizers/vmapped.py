"""A step that is vmapped over the replicas."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.inner import InnerOptimizers
from synthbench.engine.optimizers.step import NotVmappable, ReplicaStep
from synthbench.errors import ModelError


class VmappedStep(ReplicaStep):
    """One set of optimizers whose tensors carry the replica axis while a step is vmapped.

    Tensors of state get the axis; what has no axes of its own, such as a step counter, and
    every plain Python value is shared, because replicas train in lock-step.
    """

    def __init__(self, built: list[InnerOptimizers], stacked: State, label: str) -> None:
        """built: one for each, for what an optimizer makes of its parameters when it is built."""
        self._stacked = stacked
        self._label, self._steps = label, 0
        self._inner = built[0]
        for inner in built:
            inner.refuse_tensors_elsewhere()
            if inner.groups() != self._inner.groups():
                raise NotVmappable("its parameter groups differ from replica to replica")
        self._states: Any = _stacked_states([inner.states() for inner in built])
        self._inner.use_single_tensors()

    def step(self, gradients: State | None, factor: float, alive: Tensor) -> None:
        """As `ReplicaStep`; replicas that are not to be stepped have gradient 0.

        Raises ModelError where the step fails that worked in the trial.
        """
        self._steps += 1
        try:
            self._mapped(lambda: self._inner.step(factor), gradients or {})
            self._inner.refuse_tensors_elsewhere()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise ModelError(
                f'the vmapped step of optimizer "{self._label}" fails at step {self._steps}: '
                f"{type(error).__name__}: {' '.join(str(error).split())}; where vmap cannot take "
                "every step, say `looped: ClassVar[bool] = True` in its class"
            ) from error

    def narrow(self, rows: Sequence[int]) -> None:
        """As `ReplicaStep`."""
        leaves, spec = tree_flatten(self._states)
        left = [rows_of_stack(leaf, rows) if _has_axes(leaf) else leaf for leaf in leaves]
        self._states = tree_unflatten(left, spec)

    def set_mode(self, training: bool) -> None:
        """As `ReplicaStep`."""
        self._mapped(lambda: self._inner.set_mode(training), {})

    def _mapped(self, action: Callable[[], None], gradients: State) -> None:
        """Call what changes parameters and state, while both carry the replica axis."""
        leaves, spec = tree_flatten(self._states)
        batched = {i: leaf for i, leaf in enumerate(leaves) if _has_axes(leaf)}

        def of_one(
            parameters: State, gradients: State, own: dict[int, Tensor]
        ) -> tuple[State, dict[int, Tensor], list[Tensor]]:
            nonlocal leaves, spec
            filled = [own.get(i, leaf) for i, leaf in enumerate(leaves)]
            self._inner.place(parameters, gradients, tree_unflatten(filled, spec))
            action()
            leaves, spec = tree_flatten(self._inner.states())
            changed = {i: leaf for i, leaf in enumerate(leaves) if _has_axes(leaf)}
            # vmap refuses to return these without the axis if they depend on a replica.
            shared = [v for v in leaves if isinstance(v, Tensor) and not _has_axes(v)]
            return self._inner.parameters(), changed, shared

        stacked = {name: p.detach() for name, p in self._stacked.items()}
        axes: Any = (0, 0, None)
        lifted = torch.vmap(of_one, out_dims=axes, randomness="error")
        with warnings.catch_warnings():
            # Some in-place operations have no batching rule; torch then calls them one by one.
            warnings.filterwarnings("ignore", "There is a performance drop")
            moved, changed, _ = lifted(stacked, gradients, batched)
        for name, parameter in self._stacked.items():
            if moved[name].data_ptr() != parameter.data_ptr():
                parameter.copy_(moved[name])
        leaves = [changed.get(i, leaf) for i, leaf in enumerate(leaves)]
        self._states = tree_unflatten(leaves, spec)
        self._inner.place({}, {}, [{} for _ in self._states])

    def state(self) -> Any:
        """States with stacked tensors, and what the parameter groups hold."""
        return {"states": self._states, "groups": self._inner.groups()}

    def load(self, state: Any) -> None:
        """As `ReplicaStep`."""
        self._states = state["states"]
        self._inner.load_groups(state["groups"])


def _stacked_states(states: list[Any]) -> Any:
    """The states of all replicas as one, whose tensors have the replica axis."""
    flat = [tree_flatten(state) for state in states]
    spec = flat[0][1]
    if any(other != spec for _, other in flat):
        raise NotVmappable("its state differs in kind from replica to replica")
    stacked: list[Any] = []
    for column in zip(*(own for own, _ in flat), strict=True):
        if _has_axes(column[0]):
            stacked.append(torch.stack(column))
        elif all(_equal(value, column[0]) for value in column):
            stacked.append(column[0])
        else:
            raise NotVmappable("its state holds a number that differs from replica to replica")
    return tree_unflatten(stacked, spec)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or bool(one != one and other != other)  # NaN


def _has_axes(leaf: object) -> bool:
    return isinstance(leaf, Tensor) and leaf.dim() > 0
