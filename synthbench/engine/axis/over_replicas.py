"""The replica axis: apply a single-replica function to stacked arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

import torch
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.engine.axis.one_by_one import OneByOne

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

    one_by_one = OneByOne()

    def loop(*arguments: *Ts) -> Any:
        rows = (_row(arguments, r) for r in range(tree_leaves(arguments)[0].shape[0]))
        return one_by_one(partial(one_replica, *row) for row in rows)

    return loop


def _row(arguments: Any, replica: int) -> Any:
    return tree_map(lambda tensor: tensor[replica], arguments)
