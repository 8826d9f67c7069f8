"""The loss of whoever knows the automaton, in closed form."""

from __future__ import annotations

from math import log


def oracle_loss(edges: int, longest: int, length: int) -> float:
    """Mean cross-entropy in nats over `length` positions, every state having so many edges.

    starts[t] is the probability that a string begins at position t: the first does, and another
    one l + 1 positions after one of length l. At its position l >= 1 a string that has not ended
    before ends with probability 1 / (longest - l + 1).
    """
    starts, total = [1.0], 0.0
    for place in range(1, length):
        starts.append(sum(starts[max(place - longest - 1, 0) : place - 1]) / longest)
    for place in range(length):
        for before in range(min(place, longest) + 1):
            reached = starts[place - before] * (longest - max(before - 1, 0)) / longest
            total += reached * uncertainty(edges, longest, before)
    return total / length


def uncertainty(edges: int, longest: int, before: int) -> float:
    """Entropy in nats of what follows so many symbols of a string."""
    if before == 0:
        return log(edges)
    stops = 1 / (longest - before + 1)
    if stops == 1:
        return 0.0
    return -stops * log(stops) + (1 - stops) * (log(edges) - log(1 - stops))
