"""What a network says about every pair of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import View
    from synthbench_arithmetic.cyclic import CyclicGroup
    from synthbench_arithmetic.modular import ModularArithmetic

AT_ONCE = 1024
"""Pairs in one forward pass, so that memory does not grow with the table."""


def elements_of(group: CyclicGroup, like: Tensor) -> Tensor:
    """The group's elements in order, on another tensor's device: (m,)."""
    return torch.tensor(group.elements, device=like.device)


def pairs_of(group: CyclicGroup, like: Tensor) -> tuple[Tensor, Tensor]:
    """All pairs of elements, b running fastest: (m^2,) and (m^2,)."""
    elements = elements_of(group, like)
    m = len(group.elements)
    return elements.repeat_interleave(m), elements.repeat(m)


def whole_table(view: View, task: ModularArithmetic, group: CyclicGroup) -> Tensor:
    """Logits of every pair, less their mean over the answers, which no softmax sees: (m, m, p)."""
    m = len(group.elements)
    x = task.written(*pairs_of(group, view.batch.x))
    logits = torch.cat([view.forward(view.parameters, part) for part in x.split(AT_ONCE)])
    return (logits - logits.mean(dim=-1, keepdim=True)).reshape(m, m, task.p)
