"""Products of matrices and vectors, of sparse ones too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten

SPARSE = (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc)


def product(a: Tensor, b: Tensor) -> int:
    """2 m k n for each pair (..., m, k), (..., k, n); a vector has m or n = 1.

    Of a sparse matrix only the entries that are kept count.
    """
    if b.layout in SPARSE:
        return 2 * (a.numel() // a.shape[-1]) * b._nnz()
    columns = b.shape[-1] if b.dim() > 1 else 1
    return 2 * (a._nnz() if a.layout in SPARSE else a.numel()) * columns


def _first_two(arguments: tuple[Any, ...], output: Any) -> int:
    return product(*arguments[:2])


def _added(arguments: tuple[Any, ...], output: Any) -> int:
    """Of operations whose first argument is what the product is added to."""
    return product(*arguments[1:3])


def _grouped(arguments: tuple[Any, ...], output: Any) -> int:
    """Groups are rows, columns or summands of a matrix, unless there is a matrix for each."""
    a, b = arguments[:2]
    groups = a.shape[0] if a.dim() == b.dim() == 3 else 1
    rows, inner = a.shape[-2:]
    return int(2 * groups * rows * inner * b.shape[-1])


PRODUCTS = {
    **dict.fromkeys((aten.mm, aten.bmm, aten.mv, aten.dot, aten.vdot), _first_two),
    **dict.fromkeys(
        (
            aten.addmm,
            aten.addmm_,
            aten._sparse_addmm,
            aten.baddbmm,
            aten.baddbmm_,
            aten.addbmm,
            aten.addbmm_,
            aten.addmv,
            aten.addmv_,
        ),
        _added,
    ),
    aten._grouped_mm: _grouped,
}
