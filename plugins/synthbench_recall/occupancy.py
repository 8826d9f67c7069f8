"""How many keys a stream of pairs has seen, and how many values they have: exact chances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def queries_by_keys_seen(pairs: int, keys: int, noise: float) -> Array:
    """Expected number of queries that find d keys seen, d = 0..keys: (keys + 1,).

    Each of `pairs` places has noise with that chance, else a uniform key; it is a query if the
    key was seen before.
    """
    seen, queries = np.zeros(keys + 1), np.zeros(keys + 1)
    seen[0] = 1
    known = np.arange(keys + 1) / keys
    for _ in range(pairs):
        queries += seen * (1 - noise) * known
        fresh = seen * (1 - noise) * (1 - known)
        seen = seen - fresh
        seen[1:] += fresh[:-1]
    return queries


def inverse_distinct(draws: int, values: int) -> Array:
    """E[1 / number of different values] among the first d uniform ones, d = 0..draws; 0 at 0."""
    chance, found = np.zeros(values + 1), np.zeros(draws + 1)
    chance[0] = 1
    inverse = np.concatenate([[0.0], 1 / np.arange(1, values + 1)])
    taken = np.arange(values + 1) / values
    for draw in range(1, draws + 1):
        fresh = chance * (1 - taken)
        chance = chance * taken
        chance[1:] += fresh[:-1]
        found[draw] = chance @ inverse
    return found


def most_frequent_share(tokens: int, symbols: int) -> float:
    """E[share of the most frequent symbol] among uniform tokens.

    P(none more than c times) = n! [z^n] (sum_{j<=c} (z / V)^j / j!)^V, for n tokens, V symbols.
    """
    steps = np.arange(tokens + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, tokens + 1)))])
    weights = np.exp(-log_factorial - steps * np.log(symbols))
    at_most = np.zeros(tokens + 1)
    for most in range(1, tokens + 1):
        allowed, power = np.where(steps <= most, weights, 0.0), np.zeros(tokens + 1)
        power[0] = 1
        for _ in range(symbols):
            power = np.convolve(power, allowed)[: tokens + 1]
        at_most[most] = power[tokens] * np.exp(log_factorial[tokens])
    return float((1 - at_most[:-1]).sum() / tokens)
