"""Permuting the hidden units of one network so that they match those of another.

Weight matching (Ainsworth et al. 2023, "Git Re-Basin", section 3.2), for networks whose linear
layers form a chain with elementwise activations between them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from synthbench.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

SWEEPS = 100
SUPPORTED = (
    "aligned=True supports chains of nn.Linear with elementwise activations between them, such "
    "as mlp; leave it out for other networks"
)


class Layer(NamedTuple):
    """A linear layer of a chain: the names of its weight (out, in) and of its bias, if any."""

    weight: str
    bias: str | None


def linear_chain(network: nn.Module) -> list[Layer]:
    """The linear layers of a network, from its input to its output.

    Raises ModelError where there are other parameters, or the sizes form no chain.
    """
    from torch import nn

    linear = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    layers = [
        Layer(_within(name, "weight"), _within(name, "bias") if m.bias is not None else None)
        for name, m in linear
    ]
    own = {each for layer in layers for each in layer if each is not None}
    others = [n for n, _ in [*network.named_parameters(), *network.named_buffers()] if n not in own]
    if others or not layers:
        what = f"the network has {others[0]!r}" if others else "the network has no nn.Linear"
        raise ModelError(f"{what}; {SUPPORTED}")
    for (name, before), (following, after) in pairwise(linear):
        if before.out_features != after.in_features:
            raise ModelError(
                f"{name!r} gives {before.out_features} numbers, {following!r} takes "
                f"{after.in_features}; {SUPPORTED}"
            )
    return layers


def match_units(
    first: dict[str, Tensor], second: dict[str, Tensor], layers: list[Layer]
) -> list[Tensor]:
    """For each hidden layer the order (m,) of second's units that brings them nearest to first's.

    The better of two local optima: from the order that matches layer after layer by what comes
    in, and from the order as it is. Near: the sum of products of all weights is large.
    """
    import torch

    sizes = [first[layer.weight].shape[0] for layer in layers[:-1]]
    as_it_is = [torch.arange(size) for size in sizes]
    found = [_improved(first, second, layers, order) for order in (None, as_it_is)]
    return max(found, key=lambda orders: _agreement(first, permuted(second, layers, orders)))


def permuted(
    weights: dict[str, Tensor], layers: list[Layer], orders: list[Tensor]
) -> dict[str, Tensor]:
    """The same function, with the units of every hidden layer in another order."""
    changed = dict(weights)
    for layer, following, order in zip(layers[:-1], layers[1:], orders, strict=True):
        changed[layer.weight] = changed[layer.weight][order]
        if layer.bias is not None:
            changed[layer.bias] = changed[layer.bias][order]
        changed[following.weight] = changed[following.weight][:, order]
    return changed


def _improved(
    first: dict[str, Tensor],
    second: dict[str, Tensor],
    layers: list[Layer],
    start: list[Tensor] | None,
) -> list[Tensor]:
    """Sweeps of assignments, one layer at a time, until none changes."""
    import torch

    orders = start or [torch.arange(first[layer.weight].shape[0]) for layer in layers[:-1]]
    if start is None:
        for place in range(len(orders)):
            orders[place] = _assigned(_gain(first, second, layers, orders, (place, False)))
    for _ in range(SWEEPS):
        before = list(orders)
        for place in range(len(orders)):
            orders[place] = _assigned(_gain(first, second, layers, orders, (place, True)))
        if all(torch.equal(a, b) for a, b in zip(before, orders, strict=True)):
            break
    return orders


def _gain(
    first: dict[str, Tensor],
    second: dict[str, Tensor],
    layers: list[Layer],
    orders: list[Tensor],
    where: tuple[int, bool],
) -> Tensor:
    """(m, m) what it adds to the agreement if unit i of first is matched with unit j of second.

    where: the hidden layer, and whether the weights that go out count too.
    """
    place, going_out = where
    layer, following = layers[place], layers[place + 1]
    incoming = second[layer.weight].double()
    if place:
        incoming = incoming[:, orders[place - 1]]
    gain = first[layer.weight].double() @ incoming.T
    if layer.bias is not None:
        gain = gain + first[layer.bias].double()[:, None] * second[layer.bias].double()[None]
    if going_out:
        outgoing = second[following.weight].double()
        if place + 1 < len(orders):
            outgoing = outgoing[orders[place + 1]]
        gain = gain + first[following.weight].double().T @ outgoing
    return gain


def _assigned(gain: Tensor) -> Tensor:
    import torch
    from scipy.optimize import linear_sum_assignment

    _, columns = linear_sum_assignment(gain.numpy(), maximize=True)
    return torch.from_numpy(columns)


def _agreement(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    return sum(float((first[name].double() * second[name].double()).sum()) for name in first)


def _within(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name
