"""What known strategies predict of the states that a word passes: log-probabilities (B, T, S)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding, pad

from synthbench import one_hot
from synthbench_automata.laws import of_one_class, priors, pushed
from synthbench_automata.machines import Machine
from synthbench_automata.structure import counted_classes, monoid

SMALLEST = 1e-30
"""Probabilities below are raised to it, so that logarithms are finite."""


def states(machine: Machine, x: Tensor) -> Tensor:
    """The state after every symbol, from state 0 on: (B, T) -> (B, T) int64."""
    table = torch.tensor(machine.table, device=x.device)
    state, passed = torch.zeros_like(x[:, 0]), []
    for symbols in x.unbind(dim=1):
        state = looked_up(table, state, symbols)
        passed.append(state)
    return torch.stack(passed, dim=1)


def predictions(machine: Machine, x: Tensor, windows: tuple[int, ...]) -> dict[str, Tensor]:
    """All strategies, from the one that knows the position alone to the state itself."""
    laws = priors(machine, x.shape[1], x.device)
    rows = logarithms(laws[1:])
    found = {"trivial": rows.expand(*x.shape, machine.states)}
    found |= look_backs(machine, laws, x, windows)
    state = states(machine, x)
    if 1 < len(set(counted_classes(machine))) < machine.states:
        place = torch.arange(x.shape[1], device=x.device).expand_as(x)
        known = logarithms(of_one_class(machine, laws[1:]))
        found["abelianization"] = row_of(known, place, state)
    found["optimal"] = logarithms(one_hot(state, machine.states, torch.float32))
    return found


def look_backs(
    machine: Machine, laws: Tensor, x: Tensor, windows: tuple[int, ...]
) -> dict[str, Tensor]:
    """Bayes' rule from the position and the last symbols, for every window.

    laws: of the state after 0..T symbols. What came before the window is drawn from the law of
    the state there; what the window says is the map that its word makes.
    """
    append = torch.tensor(monoid(machine).append, device=x.device)
    known = logarithms(pushed(machine, laws))
    place = torch.arange(1, x.shape[1] + 1, device=x.device).expand_as(x)
    found, maps = {}, torch.zeros_like(x)
    for window in range(1, max(windows, default=0) + 1):
        # Before the word nothing happens: the identity, map 0.
        maps = looked_up(append, pad(maps, (1, 0))[:, :-1], x)
        if window in windows:
            found[f"look-back-{window}"] = row_of(known, (place - window).clamp(min=0), maps)
    return found


def logarithms(chances: Tensor) -> Tensor:
    """Logarithms in single precision, all finite."""
    return chances.clamp(min=SMALLEST).log().float()


def row_of(table: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """`table[first, second]`: (m, n, S) and (B, T) twice -> (B, T, S)."""
    return embedding(first * table.shape[1] + second, table.flatten(0, 1))


def looked_up(table: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """`table[first, second]` of a table (m, n), for indices of one shape."""
    # embedding, not table[...]: a third of the time under vmap.
    rows = table.reshape(-1, 1)
    return embedding(first * table.shape[1] + second, rows).squeeze(-1)
