"""FLOPs of torch's operations where its own counter is wrong, or counts nothing.

One multiplication and one addition are two FLOPs. Formulas of torch's registry that are missing
here are right as they are, and count too; so do those that others have registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from synthbench.engine.inspection.flop_formulas.attention import ATTENTION
from synthbench.engine.inspection.flop_formulas.convolutions import CONVOLUTIONS
from synthbench.engine.inspection.flop_formulas.fourier import FOURIER
from synthbench.engine.inspection.flop_formulas.linear_algebra import LINEAR_ALGEBRA
from synthbench.engine.inspection.flop_formulas.products import PRODUCTS
from synthbench.engine.inspection.flop_formulas.recurrent import RECURRENT

Arguments = tuple[Any, ...]
Formula = Callable[[Arguments, Any], int]
"""FLOPs from an operation's positional arguments, tensors among them, and its output."""

COMPLEX = 4
"""A complex multiplication and addition are 8 real FLOPs: 4 products, 2 sums in one, 2 to add."""


def _for_counter(formula: Formula, factor_of_complex: int) -> Callable[..., int]:
    """As `FlopCounterMode` calls it, with keyword arguments on which no count depends."""

    def flops(*arguments: Any, out_val: Any, **named: Any) -> int:
        tensors = [each for each in arguments if isinstance(each, Tensor)]
        factor = factor_of_complex if any(t.is_complex() for t in tensors) else 1
        return factor * formula(arguments, out_val)

    # The mark by which the counter hands over tensors, not their shapes.
    flops._get_raw = True  # type: ignore[attr-defined]
    return flops


_REAL = {**PRODUCTS, **CONVOLUTIONS, **ATTENTION, **LINEAR_ALGEBRA, **RECURRENT}

FORMULAS: Mapping[Any, Callable[..., int]] = {
    **{operation: _for_counter(formula, COMPLEX) for operation, formula in _REAL.items()},
    **{operation: _for_counter(formula, 1) for operation, formula in FOURIER.items()},
}
"""Operation of `torch.ops.aten` -> its FLOPs, for `FlopCounterMode(custom_mapping=...)`."""
