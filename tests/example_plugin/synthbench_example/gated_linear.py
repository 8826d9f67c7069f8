"""Gated linear units (Dauphin et al. 2017): a sigmoid decides how much of a sum passes."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench import Interface, Margin, Model, Recipe, Signs


class GatedLinear(Model):
    """f(x) = v . ((W x + b) * sigmoid(G x + c)) + d, one layer of gated linear units."""

    name: ClassVar[str] = "gated-linear"
    headline: ClassVar[tuple[str, ...]] = ("width",)
    paper: ClassVar[str] = "Dauphin et al. 2017, arXiv:1612.08083"
    inputs = (Signs,)
    outputs = (Margin,)

    width: int = Field(default=64, ge=1)
    """Number of units."""
    recipe: Recipe = Recipe(optimizer="adam", lr=0.01, batch_size=32)

    def build(self, interface: Interface) -> nn.Module:
        """A network for that many inputs, initialized as torch does."""
        (inputs,) = interface.input.shape
        return Network(inputs, self.width)


class Network(nn.Module):
    """Gated units, then a linear read-out."""

    def __init__(self, inputs: int, width: int) -> None:
        """inputs: entries of x; width: units."""
        super().__init__()
        self.value = nn.Linear(inputs, width)
        self.gate = nn.Linear(inputs, width)
        self.readout = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, inputs) -> margin (B,)."""
        margin: Tensor = self.readout(self.value(x) * torch.sigmoid(self.gate(x)))
        return margin.squeeze(-1)
