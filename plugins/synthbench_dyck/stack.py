"""Stacks of open brackets, for many strings at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Stack(NamedTuple):
    """Types (B, m) of the open brackets, their positions (B, m), and how many there are (B,)."""

    types: Tensor
    opened: Tensor
    depth: Tensor

    @classmethod
    def empty(cls, like: Tensor, m: int) -> Stack:
        """Stacks for the strings of `like` (B, ...), with room for m brackets."""
        none = torch.zeros_like(like.flatten(1)[:, :1])
        return cls(none.expand(-1, m), none.expand(-1, m), none[:, 0])

    @property
    def top(self) -> Tensor:
        """Type of the innermost bracket (B,); of none one that means nothing."""
        return self.types.gather(1, (self.depth - 1).clamp(min=0)[:, None]).squeeze(1)

    @property
    def top_opened(self) -> Tensor:
        """Where the innermost bracket was opened (B,); of none it means nothing."""
        return self.opened.gather(1, (self.depth - 1).clamp(min=0)[:, None]).squeeze(1)

    def after(self, symbol: Tensor, position: int, k: int) -> Stack:
        """After one more symbol (B,), the one at `position`.

        Symbols: k opening brackets, k closing ones, END. Any sequence is read, well-nested or
        not.
        """
        m, opens = self.types.shape[1], symbol < k
        pushed = opens[:, None] & (torch.arange(m, device=symbol.device) == self.depth[:, None])
        moved = (self.depth + torch.where(opens, 1, -1)).clamp(0, m)
        return Stack(
            torch.where(pushed, symbol[:, None], self.types),
            torch.where(pushed, position, self.opened),
            torch.where(symbol == 2 * k, 0, moved),
        )


def stacks(x: Tensor, k: int, m: int) -> Iterator[Stack]:
    """The stack after every symbol of strings (B, T)."""
    stack = Stack.empty(x, m)
    for position, symbol in enumerate(x.unbind(1)):
        stack = stack.after(symbol, position, k)
        yield stack
