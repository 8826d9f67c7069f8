"""In-context language learning: strings of an automaton never seen (Akyurek et al. 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb
from synthbench_field.in_context_counts import n_gram


class Icll(sb.Task):
    """Predict the next symbol of strings that a random automaton, new in each sequence, writes.

    Every state has so many edges, with different symbols, to other states. From state 0 on the
    automaton takes an edge at random; after each symbol the string ends with probability `stop`,
    and then an END follows and another string begins. Bayes would have to average over all
    automata, so the ceiling is an oracle that knows the automaton. Ranked by cross-entropy.
    """

    name: ClassVar[str] = "icll"
    headline: ClassVar[tuple[str, ...]] = ("states", "alphabet", "length")
    paper: ClassVar[str] = "Akyurek et al. 2024, arXiv:2401.12973"
    ceiling: ClassVar[str] = "oracle"

    states: int = Field(default=4, ge=2)
    """States of an automaton."""
    alphabet: int = Field(default=6, ge=2)
    """Symbols beside END."""
    edges: int = Field(default=2, ge=1)
    """Edges that leave a state."""
    stop: float = Field(default=0.1, gt=0, lt=1)
    """Probability that a string ends after a symbol."""
    length: int = Field(default=64, ge=4)
    """Symbols in a sequence."""

    @model_validator(mode="after")
    def _edges_fit(self) -> Icll:
        if self.edges > self.alphabet:
            raise ValueError(f"edges must be at most alphabet={self.alphabet}, got {self.edges}")
        return self

    @property
    def interface(self) -> sb.Interface:
        """Symbols and END in, log-odds of the next one out."""
        symbols = self.alphabet + 1
        return sb.Interface(sb.Tokens(symbols, self.length), sb.TokenLogits(symbols, self.length))

    def world(self, rng: sb.Stream) -> Tensor:
        """Nothing, since every sequence has an automaton of its own: (1,)."""
        return torch.zeros(1, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences, x beginning with END; latents: `chances` (size, length, V) by oracle."""
        moves = rng.integers(self.states - 1, (size, self.states, self.edges)) + 1
        targets = (moves + torch.arange(self.states, device=rng.device)[:, None]) % self.states
        symbols = rng.permutation(self.alphabet, (size, self.states))[..., : self.edges]
        edges = rng.integers(self.edges, (size, self.length))
        stops = rng.bernoulli(self.stop, (size, self.length))
        state = torch.zeros_like(edges[:, 0])
        begins = torch.ones_like(stops[:, 0])
        sequence, chances = [torch.full_like(state, self.alphabet)], []
        for edge, stop in zip(edges.unbind(1), stops.unbind(1), strict=True):
            here = state[:, None, None].expand(-1, 1, self.edges)
            known = symbols.gather(1, here).squeeze(1)
            chances.append(self.chances(known, begins))
            begins = ~begins & stop
            symbol = known.gather(1, edge[:, None]).squeeze(1)
            target = targets.gather(1, here).squeeze(1).gather(1, edge[:, None]).squeeze(1)
            sequence.append(torch.where(begins, self.alphabet, symbol))
            state = torch.where(begins, 0, target)
        both = torch.stack(sequence, dim=1)
        return sb.Batch(both[:, :-1], both[:, 1:], {"chances": torch.stack(chances, dim=1)})

    def chances(self, known: Tensor, begins: Tensor) -> Tensor:
        """Of each symbol, given those of a state's edges (B, E) and whether a string begins."""
        stop = torch.where(begins, 0.0, self.stop)[:, None]
        leaves = sb.one_hot(known, self.alphabet, torch.float32).sum(dim=1) / self.edges
        return torch.cat([(1 - stop) * leaves, stop], dim=1)

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy at every position, or at the last alone."""
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Cross-entropy, and the total variation distance from the oracle at each position."""
        distance = (output.softmax(dim=-1) - batch.latents["chances"]).abs().sum(dim=-1) / 2
        loss = self.losses()["cross-entropy"](output, batch)
        return {"cross-entropy": loss, "distance": distance.mean(dim=0)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; in-context n-grams; the automaton itself."""
        symbols, names = self.alphabet + 1, ("unigram", "bigram", "trigram")
        grams = {name: n_gram(batch.x, symbols, order) for order, name in enumerate(names)}
        oracle = batch.latents["chances"].clamp(min=1e-9).log()
        return {"trivial": torch.zeros_like(oracle), **grams, "oracle": oracle}

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy in nats, from how often a string begins at each position."""
        edge, stop = math.log(self.edges), self.stop
        inside = -stop * math.log(stop) + (1 - stop) * (edge - math.log(1 - stop))
        begins, total = 1.0, 0.0
        for _ in range(self.length):
            total += begins * edge + (1 - begins) * inside
            begins = (1 - begins) * stop
        return {"trivial": math.log(self.alphabet + 1), "oracle": total / self.length}
