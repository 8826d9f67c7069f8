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
    aten.celu, aten.pow, aten.exp2, aten.sinh, aten.cosh, aten.atanh, aten.atan2, aten.logaddexp,
    aten.logaddexp2,
)  # fmt: skip
"""Functions of single numbers that vectors and scalars round otherwise; found by trying all."""
UNEVEN_IN_HALF = (aten.rsqrt, aten.asinh)
"""Those that do so in bfloat16 alone."""
GRAIN = 2**15
"""So many numbers at least go to a thread (ATen/TensorIterator.h)."""
EAGER_GRAIN = 2**14
"""More than that `gelu` divides among all threads (ATen/native/cpu/Activation.cpp)."""
SUMS = {aten.sum.dim_IntList, aten.mean.dim}


def steady(func: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
    """What to call instead of an operation with such arguments; often the operation itself."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    if not tensors or any(t.device.type != "cpu" for t in tensors):
        return func  # type: ignore[no-any-return]
    if _is_uneven(_out_of_place(func), tensors) and _leaves_some_over(tensors):
        return _PaddedInPlace(func) if func._schema.is_mutable else _Padded(func)
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
        return _padded(self.operation.overloadpacket, args, named)


class _PaddedInPlace(Steadied):
    """The same of a function that writes its result into its first argument."""

    def __call__(self, x: Tensor, *args: Any, **named: Any) -> Tensor:
        return x.copy_(_padded(_out_of_place(self.operation), (x, *args), named))


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


def _is_uneven(packet: Any, tensors: Sequence[Tensor]) -> bool:
    half = any(tensor.dtype == torch.bfloat16 for tensor in tensors)
    return packet in UNEVEN or (half and packet in UNEVEN_IN_HALF)


def _out_of_place(func: Any) -> Any:
    """All overloads of the operation that makes a tensor of its own; None where there is none."""
    packet = func.overloadpacket
    if not func._schema.is_mutable:
        return packet
    name = packet.__name__
    return getattr(aten, name[:-1], None) if name.endswith("_") else None


def _padded(packet: Any, args: Sequence[Any], named: dict[str, Any]) -> Tensor:
    """What all overloads of an operation give, on a number of numbers that threads divide."""
    tensors = [a for a in args if isinstance(a, Tensor)]
    shape = _shape(tensors)
    count = shape.numel()
    missing = _filled(count, packet is aten.gelu) - count
    if not missing and _lie_in_line(tensors, shape):
        found: Tensor = packet(*args, **named)
        return found
    filled = [
        torch.nn.functional.pad(a.expand(shape).reshape(-1), (0, missing), value=0.5)
        if isinstance(a, Tensor)
        else a
        for a in args
    ]
    found = packet(*filled, **named)
    return found[:count].reshape(shape)


def _lie_in_line(tensors: Sequence[Tensor], shape: torch.Size) -> bool:
    """Whether their numbers are worked through as one long vector, not row by row."""
    return all(t.dim() == 0 or (t.shape == shape and t.is_contiguous()) for t in tensors)


def _shape(tensors: Sequence[Tensor]) -> torch.Size:
    shape: torch.Size = torch.broadcast_shapes(*(t.shape for t in tensors))  # type: ignore[no-untyped-call]
    return shape


def _filled(count: int, eager: bool) -> int:
    """The fewest numbers, from count on, of which every thread gets whole vectors."""
    filled = count
    while left := filled % (whole := BUNDLE * _threads(filled, eager)):
        filled += whole - left
    return filled


def _threads(count: int, eager: bool) -> int:
    """Among how many threads so many numbers are divided, in equal parts."""
    if eager:
        return torch.get_num_threads() if count > EAGER_GRAIN else 1
    return min(torch.get_num_threads(), -(-count // GRAIN)) if count >= GRAIN else 1


def _leaves_some_over(tensors: Sequence[Tensor]) -> bool:
    """Whether there may be numbers left over: of many, that depends on the threads of the day."""
    shape = _shape(tensors)
    count = shape.numel()
    if all(t.dim() == 0 for t in tensors):
        return False
    return count % BUNDLE != 0 or count > EAGER_GRAIN or not _lie_in_line(tensors, shape)


def _sums_outermost(x: Tensor, dims: Sequence[int] | None) -> bool:
    """Whether the axis that is outermost in memory is summed over, and others are not."""
    if not dims or not x.is_floating_point():
        return False
    reduced = {d % x.dim() for d in dims}
    long = [d for d in range(x.dim()) if x.shape[d] > 1]
    if all(d in reduced for d in long) or not long:
        return False
    return max(long, key=lambda d: x.stride(d)) in reduced
