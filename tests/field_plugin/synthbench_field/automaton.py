"""Tracking the state of a group automaton, at other lengths too (Liu et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb

Permutation = tuple[int, ...]
GENERATORS: dict[str, tuple[Permutation, ...]] = {
    "parity": ((0, 1), (1, 0)),
    "cyclic-5": ((0, 1, 2, 3, 4), (1, 2, 3, 4, 0)),
    "s3": ((1, 0, 2), (1, 2, 0)),
    "a5": ((1, 2, 3, 4, 0), (1, 2, 0, 3, 4)),
    "s5": ((1, 2, 3, 4, 0), (1, 0, 2, 3, 4)),
}
"""What each symbol does to the points."""


class Automaton(sb.Task):
    """y_t = the product of the first t symbols, uniform over generators of a group.

    The states are the elements of the group in the order in which they are found from the
    identity, which is the first state. Nothing is hidden: the world is the transition table.
    """

    name: ClassVar[str] = "automaton"
    headline: ClassVar[tuple[str, ...]] = ("group", "length")
    paper: ClassVar[str] = "Liu et al. 2023, arXiv:2210.10749"

    group: Literal["parity", "cyclic-5", "s3", "a5", "s5"] = "parity"
    """The group: parity is Z_2 with a symbol that does nothing, cyclic-5 likewise."""
    length: int = Field(default=20, ge=1)
    """Symbols in a training sequence, and in the ranked test set."""
    longer: tuple[int, ...] = (40, 80)
    """Lengths of further test sets."""
    back: int = Field(default=4, ge=1)
    """Symbols on which the reference looks back."""

    @property
    def interface(self) -> sb.Interface:
        """Generators in, states out."""
        return self.interface_of(self.length)

    def interface_of(self, length: int) -> sb.Interface:
        """At another length."""
        table = transitions(GENERATORS[self.group])
        return sb.Interface(sb.Tokens(len(table[0]), length), sb.TokenLogits(len(table), length))

    def world(self, rng: sb.Stream) -> Tensor:
        """State after each symbol in each state: (states, symbols)."""
        return torch.tensor(transitions(GENERATORS[self.group]), device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh words of the trained length: x and y (size, length)."""
        return self.words(world, rng, size, self.length)

    def words(self, world: Tensor, rng: sb.Stream, size: int, length: int) -> sb.Batch:
        """Fresh words of any length."""
        x = rng.integers(world.shape[1], (size, length))
        return sb.Batch(x, states(world, x))

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """Words of the trained length, then of the longer ones."""

        def at(length: int) -> sb.TestSet:
            return sb.TestSet(
                sample=lambda world, rng, size: self.words(world, rng, size, length),
                interface=self.interface_of(length),
            )

        return {f"length-{length}": at(length) for length in (self.length, *self.longer)}

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy at every position, or at the last alone."""
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of positions with the right state; that at the last one; that at each."""
        hits = sb.accuracy(output, batch.y)
        curve = sb.Mean(*(part.reshape(batch.y.shape) for part in hits))
        last = sb.Mean(*(part[:, -1] for part in curve))
        return {"accuracy": hits, "last": last, "by-position": curve}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; right while there are no more symbols than it looks back on; the state."""
        optimal = sb.one_hot(states(world, batch.x), world.shape[0], torch.float32)
        known = torch.arange(batch.x.shape[1], device=batch.x.device) < self.back
        return {
            "trivial": torch.zeros_like(optimal),
            "looks-back": optimal * known[:, None],
            "optimal": optimal,
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy: the product of the last few elements says nothing about a uniform state."""
        chance = 1 / len(transitions(GENERATORS[self.group]))
        exact = {}
        for length in (self.length, *self.longer):
            known = min(self.back, length) / length
            on = "" if length == self.length else f"@length-{length}"
            exact |= {f"trivial{on}": chance, f"looks-back{on}": known + (1 - known) * chance}
            exact[f"optimal{on}"] = 1.0
        return exact


def transitions(generators: tuple[Permutation, ...]) -> list[list[int]]:
    """Number of the element reached from each element by each generator."""
    found = [tuple(range(len(generators[0])))]
    table = []
    for element in found:
        products = [tuple(generator[point] for point in element) for generator in generators]
        found += [each for each in dict.fromkeys(products) if each not in found]
        table.append([found.index(each) for each in products])
    return table


def states(table: Tensor, x: Tensor) -> Tensor:
    """The state after every symbol, from state 0 on: (B, T) -> (B, T)."""
    state, reached = torch.zeros_like(x[:, 0]), []
    for symbols in x.unbind(dim=1):
        state = table[state, symbols]
        reached.append(state)
    return torch.stack(reached, dim=1)
