"""B-splines on a uniform grid."""

from __future__ import annotations

import torch
from torch import Tensor


def b_splines(x: Tensor, grid: int, order: int, reach: float) -> Tensor:
    """The grid + order B-splines of degree `order` at x: (...) -> (..., grid + order).

    grid: intervals between -reach and reach, on which they sum to one; the knots go on for `order`
    intervals to both sides, beyond which all are zero. By the recursion of Cox and de Boor (de
    Boor 1978, A Practical Guide to Splines, chapter IX), on knots at whole numbers.
    """
    knots = torch.arange(-order, grid + order + 1, device=x.device, dtype=x.dtype)
    # Position in intervals from the left end of the grid.
    place = ((x + reach) * (grid / (2 * reach)))[..., None]
    found = ((place >= knots[:-1]) & (place < knots[1:])).to(x.dtype)
    for degree in range(1, order + 1):
        rising = (place - knots[: -degree - 1]) / degree * found[..., :-1]
        falling = (knots[degree + 1 :] - place) / degree * found[..., 1:]
        found = rising + falling
    return found
