"""What can be said of the next symbol, from nothing to the whole stack."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synthbench import one_hot
from synthbench_dyck.stack import stacks


def strategies(x: Tensor, closing: Tensor, k: int, m: int) -> Mapping[str, Tensor]:
    """Probabilities of the next symbol, each (B, T, 2 k + 1), for strings x (B, T).

    closing: (k,), the type of the closing bracket of each opening one.
    """
    read = [(stack.depth, closing[stack.top]) for stack in stacks(x, k, m)]
    depth, top = (torch.stack(each, dim=1)[..., None] for each in zip(*read, strict=True))
    close = torch.where(depth == m, 1.0, torch.where(depth > 0, 0.5, 0.0))
    end = torch.where(depth == 0, 0.5, 0.0)
    opening = ((1 - close - end) / k).expand(-1, -1, k)
    stack_top = one_hot(top.squeeze(-1), k, torch.float32)
    any_type = torch.full_like(stack_top, 1 / k)
    types = {
        "depth-only": any_type,
        "latest-open": torch.where(x[..., None] < k, stack_top, any_type),
        "optimal": stack_top,
    }
    found = {"trivial": torch.ones_like(torch.cat([opening, any_type, end], dim=-1)) / (2 * k + 1)}
    for name, kind in types.items():
        found[name] = torch.cat([opening, close * kind, end], dim=-1)
    return found
