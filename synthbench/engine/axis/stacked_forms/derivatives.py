"""What every `autograd.Function` of a form needs: a rule for vmap, and second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.func import vjp
from torch.utils._pytree import tree_map

Tensors = tuple[Tensor | None, ...]


def folded(
    function: Any, info: Any, in_dims: tuple[int | None, ...], arguments: Any
) -> tuple[Any, Any]:
    """A `vmap` rule where the first axis of all tensors is one of many: fold the new one into it.

    function: the `autograd.Function`; the others as its `vmap` gets them. A tensor that is the
    same along the new axis is expanded.
    """

    def fold(argument: Any, dim: int | None) -> Any:
        if not isinstance(argument, Tensor):
            return argument
        if dim is None:
            stacked = argument.expand(info.batch_size, *argument.shape)
        else:
            stacked = argument.movedim(dim, 0)
        return stacked.flatten(0, 1)

    output = function.apply(*(fold(a, d) for a, d in zip(arguments, in_dims, strict=True)))
    unfolded = tree_map(lambda t: t.unflatten(0, (info.batch_size, -1)), output)
    return unfolded, tree_map(lambda _: 0, output)


def differentiated_again(
    function: Callable[[Tensors], tuple[Tensor, ...]],
    inputs: Tensors,
    of_outputs: Sequence[Tensor],
    gradients: Tensors,
) -> tuple[list[Tensor | None], list[Tensor]]:
    """Gradients through the backward pass of `function`, with respect to inputs and of_outputs.

    function: slow, but differentiable any number of times. of_outputs: gradients of what it
    returns. gradients: those of the gradients of the inputs; None where that was not given out.
    """
    present = [i for i, tensor in enumerate(inputs) if tensor is not None]
    wanted = [gradients[i] is not None for i in present]

    def filled(tensors: Sequence[Tensor]) -> Tensors:
        by_place = dict(zip(present, tensors, strict=True))
        return tuple(by_place.get(i) for i in range(len(inputs)))

    def once(*tensors: Tensor) -> tuple[Tensor, ...]:
        given, incoming = tensors[: len(present)], tensors[len(present) :]
        pull: Any = vjp(lambda *some: function(filled(some)), *given)[1]
        found = pull(incoming)
        return tuple(g for g, needed in zip(found, wanted, strict=True) if needed)

    pull: Any = vjp(once, *(inputs[i] for i in present), *of_outputs)[1]
    found = pull(tuple(g for g in gradients if g is not None))
    return list(filled(found[: len(present)])), list(found[len(present) :])
