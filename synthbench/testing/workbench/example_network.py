"""A small network for any interface: what a student would try first.

The kit trains it to see whether anything beats a task's optimum, and gives it to probes and
optimizers that are examined without a task of their own.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench.contracts.interface import Interface, Port, TokenLogits, Tokens
from synthbench.contracts.model import Model
from synthbench.contracts.recipe import Recipe


class ExampleNetwork(Model):
    """One hidden layer over the input, or over the last tokens and the counts of all so far."""

    name: ClassVar[str] = "example-network"
    inputs = (Port,)
    outputs = (Port,)

    width: int = Field(default=64, ge=1)
    """Hidden units."""
    window: int = Field(default=3, ge=1)
    """Tokens that are seen in their order."""
    recipe: Recipe = Recipe(optimizer="adam", lr=0.01, batch_size=64)

    def build(self, interface: Interface) -> nn.Module:
        """The network that reads tokens one by one, or the one that reads all at once."""
        if isinstance(interface.input, Tokens) and isinstance(interface.output, TokenLogits):
            symbols, answers = interface.input.vocabulary, interface.output.vocabulary
            return OneByOne(symbols, answers, self.width, self.window)
        return AllAtOnce(interface, self.width)


class AllAtOnce(nn.Module):
    """(B, ...) -> (B, ...): a hidden layer over the whole input."""

    def __init__(self, interface: Interface, width: int) -> None:
        """interface: of the task; width: hidden units."""
        super().__init__()
        given, wanted = interface.input, interface.output
        self.symbols = given.vocabulary if isinstance(given, Tokens) else 0
        numbers = torch.Size(given.shape).numel() * max(self.symbols, 1)
        self.shape = wanted.shape
        self.hidden = nn.Linear(numbers, width)
        self.readout = nn.Linear(width, torch.Size(wanted.shape).numel())

    def forward(self, x: Tensor) -> Tensor:
        """The output of the interface."""
        kind = self.hidden.weight.dtype
        numbers = indicators(x, self.symbols, kind) if self.symbols else x.to(kind)
        hidden = torch.relu(self.hidden(numbers.reshape(x.shape[0], -1)))
        output: Tensor = self.readout(hidden)
        return output.reshape(x.shape[0], *self.shape)


class OneByOne(nn.Module):
    """(B, T) -> (B, T, V): at every position from the last tokens and the shares of all so far."""

    def __init__(self, symbols: int, answers: int, width: int, window: int) -> None:
        """symbols: of the input; answers: of the output; window: last tokens seen in order."""
        super().__init__()
        self.symbols, self.window = symbols, window
        self.hidden = nn.Linear(symbols * (window + 1), width)
        self.readout = nn.Linear(width, answers)

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds of the next token."""
        length = x.shape[1]
        tokens = indicators(x, self.symbols, self.hidden.weight.dtype)
        padded = nn.functional.pad(tokens, (0, 0, self.window - 1, 0))
        last = [padded[:, back : back + length] for back in range(self.window)]
        seen = torch.arange(1, length + 1, device=x.device, dtype=tokens.dtype)
        shares = tokens.cumsum(dim=1) / seen[:, None]
        output: Tensor = self.readout(torch.relu(self.hidden(torch.cat([*last, shares], dim=-1))))
        return output


def indicators(x: Tensor, symbols: int, kind: torch.dtype) -> Tensor:
    """One-hot rows, by comparison: (...) int64 -> (..., symbols)."""
    return (x[..., None] == torch.arange(symbols, device=x.device)).to(kind)
