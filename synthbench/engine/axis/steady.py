"""Operations whose last bits depend on where a number lies in memory, made not to.

A CPU works through a tensor in vectors of several numbers and does what is left over one by one.
Some functions round otherwise there, and a sum over the outermost axis adds in another order.
Which numbers those are depends on how many replicas lie in front of them, so a replica's bits
would depend on its company.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten
BUNDLE = 64
"""The longest run of numbers that any kernel takes at once, for every type."""
UNEVEN = (
    aten.sigmoid, aten.silu, aten.silu_backward, aten.gelu, aten.gelu_backward, aten.mish,
    aten.mish_backward, aten.softplus, aten.softplus_backward, aten.elu, aten.elu_backward,
    aten.pow, aten.exp2, aten.sinh, aten.cosh, aten.atanh, aten.atan2, aten.logaddexp,
    aten.logaddexp2,
)  # fmt: skip
"""Functions of single numbers that vectors and scalars round otherwise; found by trying all."""
SUMS = {aten.sum.dim_IntList, aten.mean.dim}


def steady(func: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
    """What to call instead of an operation with such arguments; often the operation itself."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    if not tensors or any(t.device.type != "cpu" for t in tensors):
        return func  # type: ignore[no-any-return]
    if func.overloadpacket in UNEVEN and _leaves_some_over(tensors):
        return _Padded(func)
    if func in SUMS and _sums_outermost(*args[:2]):
        return _Inner(func)
    return func  # type: ignore[no-any-return]


class Steadied:
    """A substitute for an operation."""

    def __init__(self, operation: Any) -> None:
        self.operation = operation


class _Padded(Steadied):
    """The function on as many numbers as fill whole vectors."""

    def __call__(self, *args: Any, **named: Any) -> Tensor:
        tensors = [a for a in args if isinstance(a, Tensor)]
        shape = _shape(tensors)
        count = shape.numel()
        missing = -count % _whole(count)
        filled = [
            torch.nn.functional.pad(a.expand(shape).reshape(-1), (0, missing), value=0.5)
            if isinstance(a, Tensor)
            else a
            for a in args
        ]
        found: Tensor = self.operation(*filled, **named)
        return found[:count].reshape(shape)


class _Inner(Steadied):
    """The sum over axes that have been made the innermost."""

    def __call__(
        self, x: Tensor, dims: Sequence[int], keepdim: bool = False, **named: Any
    ) -> Tensor:
        reduced = sorted(d % x.dim() for d in dims)
        kept = [d for d in range(x.dim()) if d not in reduced]
        rows = x.permute(*kept, *reduced).contiguous().flatten(len(kept))
        found: Tensor = self.operation(rows, [-1], False, **named)
        if keepdim:
            for d in reduced:
                found = found.unsqueeze(d)
        return found


def _shape(tensors: Sequence[Tensor]) -> torch.Size:
    shape: torch.Size = torch.broadcast_shapes(*(t.shape for t in tensors))  # type: ignore[no-untyped-call]
    return shape


def _whole(count: int) -> int:
    """Where every thread gets whole vectors."""
    return BUNDLE * (torch.get_num_threads() if count >= 2**15 else 1)


def _leaves_some_over(tensors: Sequence[Tensor]) -> bool:
    count = _shape(tensors).numel()
    return any(t.dim() > 0 for t in tensors) and count % _whole(count) != 0


def _sums_outermost(x: Tensor, dims: Sequence[int] | None) -> bool:
    """Whether the axis that is outermost in memory is summed over, and others are not."""
    if not dims or not x.is_floating_point():
        return False
    reduced = {d % x.dim() for d in dims}
    long = [d for d in range(x.dim()) if x.shape[d] > 1]
    if all(d in reduced for d in long) or not long:
        return False
    return max(long, key=lambda d: x.stride(d)) in reduced
