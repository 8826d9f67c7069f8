"""What an automaton writes, and how likely that is to whoever knows it."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import one_hot
from synthbench_languages.automata import Automata


def at_states(automata: Automata, state: Tensor) -> Tensor:
    """The symbols of the edges that leave each state of a walk: (B, L) -> (B, L, m)."""
    index = state[..., None].expand(-1, -1, automata.symbols.shape[2])
    return automata.symbols.gather(1, index)


def written(automata: Automata, state: Tensor, edge: Tensor, place: Tensor, end: int) -> Tensor:
    """The symbols of a walk, END between its strings: (B, L)."""
    symbol = at_states(automata, state).gather(2, edge[..., None]).squeeze(2)
    return torch.where(place < 0, end, symbol)


def chances(automata: Automata, state: Tensor, place: Tensor, longest: int, end: int) -> Tensor:
    """Probabilities of the symbol at each position, given the automaton: (B, L, end + 1).

    After l symbols of a string, of which there are 1 to `longest`, it ends with probability
    1 / (longest - l + 1); otherwise every edge of the state is taken alike.
    """
    before = torch.nn.functional.pad(place[:, :-1] + 1, (1, 0))
    stops = torch.where(before == 0, 0.0, 1.0 / (longest - before + 1))[..., None]
    count = automata.edges.gather(1, state)[..., None]
    real = torch.arange(automata.symbols.shape[2], device=state.device) < count
    edges = one_hot(at_states(automata, state), end, torch.float32) * real[..., None]
    return torch.cat([(1 - stops) * edges.sum(dim=2) / count, stops], dim=2)


def log_of(chances: Tensor) -> Tensor:
    """Finite log-probabilities; what is impossible gets e^-30."""
    return chances.clamp(min=1e-13).log()
