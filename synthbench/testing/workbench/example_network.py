"""A small network for any interface: what a student would try first.

The kit trains it to see whether anything beats a task's optimum, and gives it to probes and
optimizers that are examined without a task of their own.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench.contracts.interface import Interface, Port, Tokens
from synthbench.contracts.model import Model
from synthbench.contracts.one_hot import one_hot
from synthbench.contracts.recipe import Recipe


class ExampleNetwork(Model):
    """One hidden layer over the input, or over the last positions and the mean of all so far."""

    name: ClassVar[str] = "example-network"
    inputs = (Port,)
    outputs = (Port,)
    takes_shorter = True

    width: int = Field(default=64, ge=1)
    """Hidden units."""
    window: int = Field(default=3, ge=1)
    """Positions that are seen in their order."""
    recipe: Recipe = Recipe(optimizer="adam", lr=0.01, batch_size=64)

    def build(self, interface: Interface) -> nn.Module:
        """The network that reads positions one by one, where it must, or all at once."""
        if interface.output.causal:
            return OneByOne(interface, self.width, self.window)
        return AllAtOnce(interface, self.width)


class AllAtOnce(nn.Module):
    """(B, ...) -> (B, ...): a hidden layer over the whole input."""

    def __init__(self, interface: Interface, width: int) -> None:
        """interface: of the task; width: hidden units."""
        super().__init__()
        given, wanted = interface.input, interface.output
        self.symbols = given.vocabulary if isinstance(given, Tokens) else 0
        self.positions = given.positions, wanted.positions
        self.shape = wanted.shape
        self.numbers = prod(given.shape) * max(self.symbols, 1)
        self.hidden = nn.Linear(self.numbers, width)
        self.readout = nn.Linear(width, prod(wanted.shape))

    def forward(self, x: Tensor) -> Tensor:
        """The output of the interface; a shorter sequence is filled up with zeros."""
        numbers = features(x, self.symbols, self.hidden.weight.dtype).reshape(x.shape[0], -1)
        missing = self.numbers - numbers.shape[1]
        if missing:
            numbers = nn.functional.pad(numbers, (0, missing))
        hidden = torch.relu(self.hidden(numbers))
        output: Tensor = self.readout(hidden).reshape(x.shape[0], *self.shape)
        return output[:, : x.shape[1]] if missing and self.positions[1] else output


class OneByOne(nn.Module):
    """(B, T, ...) -> (B, T, ...): from the last positions and the mean of all so far."""

    def __init__(self, interface: Interface, width: int, window: int) -> None:
        """interface: of the task; width: hidden units; window: last positions seen in order."""
        super().__init__()
        given, wanted = interface.input, interface.output
        self.symbols = given.vocabulary if isinstance(given, Tokens) else 0
        self.window, self.shape = window, wanted.shape[1:]
        numbers = prod(given.shape[1:]) * max(self.symbols, 1)
        self.hidden = nn.Linear(numbers * (window + 1), width)
        self.readout = nn.Linear(width, prod(self.shape))

    def forward(self, x: Tensor) -> Tensor:
        """The output at position t sees the input up to t alone."""
        size, length = x.shape[:2]
        rows = features(x, self.symbols, self.hidden.weight.dtype).reshape(size, length, -1)
        padded = nn.functional.pad(rows, (0, 0, self.window - 1, 0))
        last = [padded[:, back : back + length] for back in range(self.window)]
        seen = torch.arange(1, length + 1, device=x.device, dtype=rows.dtype)
        means = rows.cumsum(dim=1) / seen[:, None]
        hidden = torch.relu(self.hidden(torch.cat([*last, means], dim=-1)))
        output: Tensor = self.readout(hidden)
        return output.reshape(size, length, *self.shape)


def features(x: Tensor, symbols: int, kind: torch.dtype) -> Tensor:
    """Numbers as they are; symbols, of which there are some, as one-hot rows."""
    return one_hot(x, symbols, kind) if symbols else x.to(kind)
