"""The network of a mixture of experts, computed densely."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from synthbench import one_hot
from synthbench_mlp.reading import VectorReading


class Router(nn.Module):
    """Shares g of the experts: a softmax of G x + a, over its largest entries or over all."""

    def __init__(self, inputs: int, experts: int, top: int | None) -> None:
        """top: entries that the softmax keeps; none: all."""
        super().__init__()
        self.experts, self.top = experts, top
        self.scores = nn.Linear(inputs, experts)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, experts), rows of sum 1."""
        scores = self.scores(x)
        if self.top is not None:
            largest = scores.topk(self.top, dim=-1).indices
            kept = one_hot(largest, self.experts, scores.dtype).sum(-2)
            scores = scores.masked_fill(kept == 0, -torch.inf)
        return torch.softmax(scores, dim=-1)


class Experts(nn.Module):
    """v_e . sigma(W_e x + b_e) + c_e for every expert e."""

    def __init__(
        self, sizes: tuple[int, int, tuple[int, ...]], experts: int, sigma: nn.Module
    ) -> None:
        """sizes: entries of x, hidden neurons, shape of the output."""
        super().__init__()
        inputs, width, self.shape = sizes
        self.experts = experts
        self.hidden = nn.Sequential(nn.Linear(inputs, experts * width), sigma)
        bound = width**-0.5
        outputs = prod(self.shape)
        self.readout = nn.Parameter(torch.empty(experts, width, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(experts, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, experts, *shape)."""
        hidden = self.hidden(x).unflatten(-1, (self.experts, 1, -1))
        outputs: Tensor = (hidden @ self.readout).squeeze(-2) + self.bias
        return outputs.reshape(*outputs.shape[:2], *self.shape)


class MixtureNetwork(nn.Module):
    """The experts' outputs, added up in the router's shares."""

    def __init__(self, reading: VectorReading, router: Router, experts: Experts) -> None:
        """router: (B, n) -> (B, E); experts: (B, n) -> (B, E, *shape)."""
        super().__init__()
        self.reading, self.router, self.experts = reading, router, experts

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ...) -> (B, *shape), for a margin (B,)."""
        x = self.reading(x, self.experts.bias.dtype)
        outputs = self.experts(x)
        shares = self.router(x).reshape(*outputs.shape[:2], *[1] * (outputs.dim() - 2))
        result: Tensor = (shares * outputs).sum(1)
        return result
