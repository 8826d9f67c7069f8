"""What stands in for functions of torch while FLOPs are counted: the same in matrix products.

Torch's kernels for these hide what they multiply, or multiply number by number, which is not
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from synthbench.engine.axis.interception import RECURRENT
from synthbench.engine.axis.stacked_forms import STACKED_FORMS

aten: Any = torch.ops.aten


def _recurrent(function: Callable[..., Any]) -> Callable[..., Any]:
    """The stacked form; of packed sequences torch's steps, which are products as they are."""
    stacked, steps = STACKED_FORMS[function], getattr(aten, function.__name__)

    def network(*arguments: Any, **named: Any) -> Any:
        # The fourth is whether there are biases, or of packed sequences the weights.
        packed = len(arguments) > 3 and not isinstance(arguments[3], bool)
        return (steps if packed else stacked)(*arguments, **named)

    return network


def _matrix_product(*factors: Tensor, out: Tensor | None = None, **named: Tensor) -> Tensor:
    """`torch.matmul` with vectors as matrices: the gradient of a matrix is then a product too.

    named: a factor given by name, which differs between functions.
    """
    a, b = (*factors, *named.values())
    left, right = a[None] if a.dim() == 1 else a, b[:, None] if b.dim() == 1 else b
    found: Tensor = torch.linalg.matmul(left, right)
    found = found.squeeze(-1) if b.dim() == 1 else found
    if a.dim() == 1:
        found = found.squeeze(-1 if b.dim() == 1 else -2)
    return found if out is None else out.copy_(found)


PRODUCTS = (
    torch.matmul,
    Tensor.matmul,
    torch.mv,
    Tensor.mv,
    torch.dot,
    Tensor.dot,
)

FLOP_FORMS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    **{function: _recurrent(function) for function in RECURRENT},
    **dict.fromkeys(PRODUCTS, _matrix_product),
    torch.bilinear: STACKED_FORMS[torch.bilinear],
}
"""Function of torch -> what is counted in its place."""
