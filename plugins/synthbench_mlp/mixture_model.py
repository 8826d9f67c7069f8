"""A mixture of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import Interface, Recipe
from synthbench_mlp.choices import Activation
from synthbench_mlp.vector_model import VectorModel

if TYPE_CHECKING:
    from torch import nn


class MoEMLP(VectorModel):
    """f(x) = sum_e g_e(x) (v_e . sigma(W_e x + b_e) + c_e), with g = softmax(G x + a).

    With `top`, g is a softmax over the largest entries of G x + a alone and zero elsewhere. Every
    expert is computed on every input all the same, so that replicas can be stacked: sparse routing
    changes what is learned, and saves nothing. No noise, no loss that balances the experts. The
    input is read as `mlp` reads it.
    """

    name: ClassVar[str] = "moe-mlp"
    headline: ClassVar[tuple[str, ...]] = ("experts", "width")
    paper: ClassVar[str] = "Jacobs et al. 1991; Shazeer et al. 2017, arXiv:1701.06538"

    experts: int = Field(default=4, ge=1)
    """Number of experts."""
    width: int = Field(default=25, ge=1)
    """Hidden neurons of each expert."""
    top: int | None = Field(default=None, ge=2)
    """Experts that answer an input, at least two: one would always have the share 1, which teaches
    the router nothing. none: all of them."""
    activation: Activation = "relu"
    """Of the experts; power is x^exponent."""
    exponent: int = Field(default=2, ge=1)
    """Exponent of activation=power."""
    recipe: Recipe = Recipe(optimizer="adamw", lr=1e-3, batch_size=32, loss="hinge")

    @model_validator(mode="after")
    def _top_is_some_of_the_experts(self) -> MoEMLP:
        if self.top is not None and self.top > self.experts:
            raise ValueError(f"top must be at most experts={self.experts}, got {self.top}")
        return self

    def build(self, interface: Interface) -> nn.Module:
        """The router and the experts."""
        from synthbench_mlp.activations import activation
        from synthbench_mlp.mixture import Experts, MixtureNetwork, Router
        from synthbench_mlp.reading import VectorReading

        reading, shape = VectorReading(interface.input), interface.output.shape
        sigma = activation(self.activation, self.exponent)
        router = Router(reading.size, self.experts, self.top)
        experts = Experts((reading.size, self.width, shape), self.experts, sigma)
        return MixtureNetwork(reading, router, experts)
