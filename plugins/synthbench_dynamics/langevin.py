"""Stochastic gradient Langevin dynamics around given weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value

from synthbench import Batch, View

Weights = dict[str, Tensor]


class ChainLosses(NamedTuple):
    """Losses on the batches of all steps. along: (steps, chains); at_start: (steps,), of w*."""

    along: Tensor
    at_start: Tensor


@dataclass(frozen=True)
class Langevin:
    """Chains w <- w - (e / 2) (n_beta grad L + gamma (w - w*)) + N(0, e), from w* on."""

    n_beta: float
    gamma: float
    step_size: float
    chains: int

    def losses(self, view: View, steps: int, batch_size: int) -> ChainLosses:
        """The loss of every chain at each of its steps, on a fresh batch, before it moves."""
        start = dict(view.parameters)
        weights = {name: w.expand(self.chains, *w.shape) for name, w in start.items()}
        along, at_start = [], []

        def loss(parameters: Mapping[str, Tensor], batch: Batch) -> Tensor:
            return view.loss(view.forward(parameters, batch.x), batch)

        for _ in range(steps):
            batch = view.sample(batch_size)
            slopes = torch.vmap(lambda w, batch=batch: grad_and_value(loss)(w, batch))
            slope, value = slopes(weights)
            along.append(value)
            at_start.append(loss(start, batch))
            weights = self._moved(view, weights, slope, start)
        return ChainLosses(torch.stack(along), torch.stack(at_start))

    def _moved(self, view: View, weights: Weights, slope: Weights, start: Weights) -> Weights:
        """One step of all chains."""
        moved = {}
        for name, w in weights.items():
            noise = view.rng.normal(tuple(w.shape)).to(w.dtype)
            pull = self.n_beta * slope[name] + self.gamma * (w - start[name])
            moved[name] = w - self.step_size / 2 * pull + self.step_size**0.5 * noise
        return moved
