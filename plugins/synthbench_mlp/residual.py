"""A residual stream of perceptrons."""

from __future__ import annotations

from torch import Tensor, nn

from synthbench_mlp.activations import activation
from synthbench_mlp.choices import Activation


class ResidualBlock(nn.Module):
    """h + B sigma(A norm(h))."""

    def __init__(self, width: int, hidden: int, between: nn.Module) -> None:
        """width: of h; hidden: rows of A; between: sigma."""
        super().__init__()
        self.branch = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), between, nn.Linear(hidden, width)
        )

    def forward(self, h: Tensor) -> Tensor:
        """(B, width) -> (B, width)."""
        return h + self.branch(h)


def residual_stream(
    sizes: tuple[int, int, int], depth: int, activation_name: Activation, exponent: int
) -> nn.Sequential:
    """A linear layer, `depth` blocks and a normalization: (B, inputs) -> (B, width).

    sizes: inputs, width of the stream, hidden units of a block; exponent: of a power.
    """
    inputs, width, hidden = sizes
    blocks = [
        ResidualBlock(width, hidden, activation(activation_name, exponent)) for _ in range(depth)
    ]
    return nn.Sequential(nn.Linear(inputs, width), *blocks, nn.LayerNorm(width))
