"""A single sinusoidal neuron (Barak et al. 2022, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, Margin, Model, Recipe, Signs

if TYPE_CHECKING:
    from torch import nn


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
        from synthbench_parity.neuron import Neuron

        (inputs,) = interface.input.shape
        return Neuron(inputs, self.scale)
