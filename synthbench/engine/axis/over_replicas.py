"""The replica axis: apply a single-replica function to stacked arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import torch
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.engine.axis.memory import is_out_of_memory

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


def over_replicas(function: Callable[[*Ts], T], looped: bool = False) -> Callable[[*Ts], T]:
    """Lift a function of one replica to tensors with a leading replica axis (R, ...).

    Every positional argument, and every result, is a tensor or a tuple or dict of tensors.
    `looped` calls the function once per replica, for what `torch.vmap` cannot take; the
    results are the same to rounding, and a replica whose call raises gets NaN unless none has
    ever worked. A function that asks torch for random numbers is
    refused by vmap: they would depend on the other replicas.
    """

    def one_replica(*arguments: *Ts) -> T:
        return function(*arguments)

    if not looped:
        # vmap prints the repr of a callable without a __name__, weights and all, at every call.
        return torch.vmap(one_replica, randomness="error")

    template: Any = None

    def loop(*arguments: *Ts) -> Any:
        nonlocal template
        replicas = tree_leaves(arguments)[0].shape[0]
        results: list[Any] = []
        failure: Exception | None = None
        for r in range(replicas):
            try:
                results.append(function(*tree_map(lambda t: t[r], arguments)))  # noqa: B023
            except Exception as error:
                # A module that raises (on NaN, say) ends its own replica only.
                if is_out_of_memory(error):
                    raise
                failure = error
                results.append(None)
        worked = next((result for result in results if result is not None), None)
        if worked is not None:
            template = tree_map(torch.zeros_like, worked)
        if failure is not None and template is None:
            raise failure
        if failure is None:
            return tree_map(lambda *leaves: torch.stack(leaves), *results)
        # What counts is an integer, which has no NaN.
        undefined = tree_map(lambda t: torch.full_like(t * 1.0, torch.nan), template)
        filled = [undefined if result is None else result for result in results]
        return tree_map(lambda *leaves: torch.stack(leaves), *filled)

    return loop
