"""The replica axis: apply a single-replica function to stacked arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map


def over_replicas(function: Callable[..., Any], looped: bool = False) -> Callable[..., Any]:
    """Lift a function of one replica to tensors with a leading replica axis (R, ...).

    Every positional argument, and every result, is a tensor or a tuple or dict of tensors.
    `looped` calls the function once per replica, for what `torch.vmap` cannot take; the
    results are the same to rounding. A function that asks torch for random numbers is
    refused by vmap: they would depend on the other replicas.
    """

    def one_replica(*arguments: Any) -> Any:
        return function(*arguments)

    if not looped:
        # vmap prints the repr of a callable without a __name__, weights and all, at every call.
        return torch.vmap(one_replica, randomness="error")

    def loop(*arguments: Any) -> Any:
        replicas = tree_leaves(arguments)[0].shape[0]
        results = [function(*tree_map(lambda t: t[r], arguments)) for r in range(replicas)]  # noqa: B023
        return tree_map(lambda *leaves: torch.stack(leaves), *results)

    return loop
