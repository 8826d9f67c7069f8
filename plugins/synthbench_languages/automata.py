"""Random automata and the strings they write."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench import Stream


class Automata(NamedTuple):
    """One automaton for each of B sequences, in tables for n states of at most m edges.

    edges: (B, n) edges that leave a state; symbols, targets: (B, n, m) what they write and where
    they lead. Entries of states and edges that an automaton does not have mean nothing.
    """

    edges: Tensor
    symbols: Tensor
    targets: Tensor


Range = tuple[int, int]
"""Smallest and largest, between which a number is uniform."""


def draw_automata(rng: Stream, size: int, states: Range, alphabet: Range, edges: Range) -> Automata:
    """Each with its own number of states, alphabet, and edges of each state.

    The edges of a state write different symbols of the alphabet and lead to other states.
    """
    most, letters = states[1], alphabet[1]
    count = between(rng, states, (size, 1, 1))
    # The alphabet of a sequence: the first so many of the letters in a random order.
    own = between(rng, alphabet, (size, 1))
    order = rng.permutation(letters, (size,))
    chosen = rng.permutation(letters, (size, most)).argsort(dim=2)
    ranked = torch.where(torch.arange(letters, device=rng.device) < own, 0, letters)[:, None]
    index = (chosen + ranked).argsort(dim=2)[..., : edges[1]]
    symbols = order[:, None].expand(-1, most, -1).gather(2, index)
    words = rng.words(size * most * edges[1]).reshape(size, most, edges[1])
    moves = 1 + ((words * (count - 1)) >> 32)
    here = torch.arange(most, device=rng.device)[:, None]
    return Automata(between(rng, edges, (size, most)), symbols, (here + moves) % count)


def between(rng: Stream, ends: Range, shape: tuple[int, ...]) -> Tensor:
    """Uniform whole numbers, both ends included."""
    return ends[0] + rng.integers(ends[1] - ends[0] + 1, shape)


def places_in_strings(rng: Stream, size: int, length: int, longest: int) -> Tensor:
    """How many symbols of its string precede each position, -1 where the string ends.

    (size, length). Strings follow one another, each of 1 to `longest` symbols and an END.
    """
    lengths = 1 + rng.integers(longest, (size, (length + 1) // 2))
    ends = (lengths + 1).cumsum(dim=1) - 1
    is_end = torch.zeros(size, length + 1, dtype=torch.int64, device=rng.device)
    is_end = is_end.scatter(1, ends.clamp(max=length), 1)[:, :length]
    place = torch.arange(length, device=rng.device)
    begins = pad(torch.where(is_end == 1, place + 1, 0).cummax(dim=1).values, (1, 0))[:, :-1]
    return torch.where(is_end == 1, -1, place - begins)


def walk(rng: Stream, automata: Automata, place: Tensor) -> tuple[Tensor, Tensor]:
    """State before each position, and the edge taken there: (B, L) each.

    place: (B, L), as `places_in_strings` gives it; every string begins in state 0. At each
    position a random word makes a map from states to states, a string's end one to state 0, and
    the maps of all prefixes are composed in log2(L) rounds (Hillis & Steele 1986).
    """
    size, length = place.shape
    words = rng.words(size * length).reshape(size, length, 1)
    taken = (words * automata.edges[:, None, :]) >> 32
    targets = automata.targets[:, None].expand(-1, length, -1, -1)
    maps = targets.gather(3, taken[..., None]).squeeze(3)
    maps = maps * (place >= 0)[..., None]
    by = 1
    while by < length:
        # Before the sequence nothing moves.
        later = maps[:, by:].gather(2, maps[:, :-by])
        maps = torch.cat([maps[:, :by], later], dim=1)
        by *= 2
    state = pad(maps[:, :-1, 0], (1, 0))
    return state, taken.gather(2, state[..., None]).squeeze(2)
