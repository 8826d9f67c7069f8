"""Symbols as rows of a unit matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def one_hot(x: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Whole numbers (...) as rows (..., classes) with a 1 at each of them; 0 where it is no class.

    dtype: of the result, that of a layer's weights, say. By comparison, since torch's own cannot
    be traced under vmap; a product with it is an embedding whose gradient is a product too.
    """
    import torch

    return (x[..., None] == torch.arange(classes, device=x.device)).to(dtype)
