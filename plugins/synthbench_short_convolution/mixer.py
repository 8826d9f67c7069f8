"""The gated short convolution: all positions at once, or one at a time."""

from __future__ import annotations

from torch import Tensor, nn

from synthbench import CausalConvolution


class ShortConvolutionMixer(nn.Module):
    """y = (conv(x W_1) * (x W_2)) W_3."""

    def __init__(self, width: int, kernel: int) -> None:
        """kernel: positions that the convolution sees."""
        super().__init__()
        self.inputs = nn.Linear(width, 2 * width, bias=False)
        self.convolution = CausalConvolution(width, kernel)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        convolved, gate = self.inputs(x).chunk(2, dim=-1)
        out: Tensor = self.output(self.convolution(convolved) * gate)
        return out

    def initial_state(self, batch: int) -> Tensor:
        """Zeros before the first position: (B, kernel - 1, width)."""
        return self.convolution.initial_state(batch)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One position of `forward`: x (B, width) and the inputs before it -> y, new state."""
        convolved, gate = self.inputs(x).chunk(2, dim=-1)
        convolved, state = self.convolution.step(convolved, state)
        return self.output(convolved * gate), state
