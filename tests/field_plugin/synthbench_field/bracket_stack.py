"""A stack of open brackets, and how deep it is on average."""

from __future__ import annotations

import torch
from torch import Tensor


def read(symbol: Tensor, stack: Tensor, depth: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The stack (B, m) of types and its depth (B,) after one more symbol (B,).

    Symbols: k opening brackets, k closing ones, END. Any sequence is read, well-nested or not.
    """
    opens, ends = symbol < k, symbol == 2 * k
    place = torch.arange(stack.shape[1], device=symbol.device) == depth[:, None]
    stack = torch.where(place & opens[:, None], symbol[:, None], stack)
    depth = torch.where(ends, 0, depth + torch.where(opens, 1, -1))
    return stack, depth.clamp(0, stack.shape[1])


def top(stack: Tensor, depth: Tensor) -> Tensor:
    """Type of the innermost bracket (B,), or of none a type that means nothing."""
    return stack.gather(1, (depth - 1).clamp(min=0)[:, None]).squeeze(1)


def depth_shares(m: int, length: int) -> tuple[float, float, float]:
    """Expected shares of the positions that find the stack empty, in between, and full."""
    chance, empty, full = [1.0] + [0.0] * m, 0.0, 0.0
    for _ in range(length):
        empty, full = empty + chance[0] / length, full + chance[m] / length
        after = [0.0] * (m + 1)
        for depth, here in enumerate(chance):
            up = 0.0 if depth == m else 0.5
            after[max(depth - 1, 0)] += (1 - up) * here
            after[min(depth + 1, m)] += up * here
        chance = after
    return empty, 1 - empty - full, full
