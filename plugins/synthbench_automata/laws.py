"""Exact distributions of a machine's state, by dynamic programming."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench_automata.machines import Machine
from synthbench_automata.structure import counted_classes, monoid


def priors(machine: Machine, length: int, device: torch.device | None = None) -> Tensor:
    """The law of the state after 0..length symbols: (length + 1, S) float64, rows sum to 1."""
    step = torch.zeros(machine.states, machine.states, dtype=torch.float64, device=device)
    for symbol, chance in enumerate(machine.chances):
        image = torch.tensor([row[symbol] for row in machine.table], device=device)
        step = step + chance * indicators(image, machine.states)
    laws = [indicators(torch.tensor(0, device=device), machine.states)]
    for _ in range(length):
        laws.append(laws[-1] @ step)
    return torch.stack(laws)


def pushed(machine: Machine, laws: Tensor) -> Tensor:
    """The law of the state that each map makes of each law: (T, S) -> (T, maps, S)."""
    maps = torch.tensor(monoid(machine).maps, device=laws.device)
    return torch.einsum("ts,msz->tmz", laws, indicators(maps, machine.states))


def of_one_class(machine: Machine, laws: Tensor) -> Tensor:
    """The law of the state where its class is known too, that of each state: (T, S) -> (T, S, S).

    Where the class cannot be at that time, nothing is known.
    """
    classes = torch.tensor(counted_classes(machine), device=laws.device)
    alike = (classes[:, None] == classes).to(laws.dtype)
    joint = laws[:, None, :] * alike
    total = joint.sum(dim=2, keepdim=True)
    return torch.where(total > 0, joint / total, 1 / machine.states)


def accuracies(machine: Machine, length: int, windows: tuple[int, ...]) -> dict[str, list[float]]:
    """Probability that the most likely state is right after 1..length symbols, by strategy.

    "trivial" knows the position alone, "look-back-w" the last w symbols too, "counted" the class
    of the state in the commutative quotient.
    """
    laws = priors(machine, length)
    found = {"trivial": laws.amax(dim=1)[1:]}
    if windows:
        found |= _look_backs(machine, laws, windows)
    classes = torch.tensor(counted_classes(machine))
    inside = indicators(classes, int(classes.max()) + 1)
    found["counted"] = (laws[1:, :, None] * inside).amax(dim=1).sum(dim=1)
    return {name: curve[:length].tolist() for name, curve in found.items()}


def _look_backs(machine: Machine, laws: Tensor, windows: tuple[int, ...]) -> dict[str, Tensor]:
    """The probability of each map that the words of a window make, times the best guess there."""
    best, length = pushed(machine, laws).amax(dim=2), laws.shape[0] - 1
    append = torch.tensor(monoid(machine).append)
    words, found = indicators(torch.tensor(0), append.shape[0]), {}
    for window in range(1, max(windows) + 1):
        longer = torch.zeros_like(words)
        for symbol, chance in enumerate(machine.chances):
            longer = longer.index_add(0, append[:, symbol], chance * words)
        words = longer
        if window in windows:
            # Words shorter than the window are seen whole.
            whole = torch.ones(min(window - 1, length), dtype=torch.float64)
            found[f"look-back-{window}"] = torch.cat([whole, best[: length + 1 - window] @ words])
    return found


def indicators(numbers: Tensor, count: int) -> Tensor:
    """Whole numbers (...) as float64 rows (..., count) with a 1 at each of them."""
    return (numbers[..., None] == torch.arange(count, device=numbers.device)).double()
