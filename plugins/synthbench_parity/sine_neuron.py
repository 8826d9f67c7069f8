"""A single sinusoidal neuron (Barak et al. 2022, section 3)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench import Interface, Margin, Model, Recipe, Signs


class SineNeuron(Model):
    """f(x) = sin(w . x + b): a parity of any degree with weights pi/2 on the support.

    Up to a sign: sin(pi/2 (x_1 + ... + x_k) + pi/2 (1 - k)) is the product of the x_i.
    """

    name: ClassVar[str] = "sine-neuron"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"
    inputs = (Signs,)
    outputs = (Margin,)

    scale: float = Field(default=1.0, gt=0)
    """Initial weights are uniform on +-scale/sqrt(n), the bias on +-pi."""
    recipe: Recipe = Recipe(optimizer="sgd", lr=0.1, batch_size=32, loss="hinge")

    def build(self, interface: Interface) -> nn.Module:
        """One weight for each coordinate, and a phase."""
        (inputs,) = interface.input.shape
        return Neuron(inputs, self.scale)


class Neuron(nn.Module):
    """sin(w . x + b)."""

    def __init__(self, inputs: int, scale: float) -> None:
        """inputs: n; scale: of the initial weights."""
        super().__init__()
        bound = scale * inputs**-0.5
        self.phase = nn.Linear(inputs, 1)
        nn.init.uniform_(self.phase.weight, -bound, bound)
        nn.init.uniform_(self.phase.bias, -torch.pi, torch.pi)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) -> (B,)."""
        return torch.sin(self.phase(x)).squeeze(-1)
