"""The cyclic group behind an operation: Z_p, or the units of Z_p as powers of a generator."""

from __future__ import annotations

from typing import NamedTuple

from synthbench import View
from synthbench_arithmetic.modular import ModularArithmetic, is_prime


class CyclicGroup(NamedTuple):
    """elements: residues in the order of their exponents 0, ..., m - 1.

    sign: a o b has exponent i + sign j where a and b have i and j.
    """

    elements: tuple[int, ...]
    sign: int


def modular(view: View) -> ModularArithmetic:
    """The task, if it is modular arithmetic; ValueError otherwise."""
    if not isinstance(view.task, ModularArithmetic):
        raise ValueError(f"it reads residues of modular-arithmetic; {view.task.name} has none")
    return view.task


def cyclic_group(task: ModularArithmetic) -> CyclicGroup:
    """Z_p for sums and differences, its units (without 0) for products and quotients.

    ValueError where the units have no generator, and for an operation that is none of a group.
    """
    if task.operation == "quadratic":
        raise ValueError("a^2 + a b + b^2 is no group: it has no frequencies; try operation=add")
    sign = -1 if task.operation in ("subtract", "divide") else 1
    if task.operation in ("add", "subtract"):
        return CyclicGroup(tuple(range(task.p)), sign)
    if not is_prime(task.p):
        raise ValueError(f"products have frequencies for a prime p alone, got {task.p}")
    return CyclicGroup(powers_of_a_generator(task.p), sign)


def powers_of_a_generator(p: int) -> tuple[int, ...]:
    """1, g, g^2, ... modulo a prime p, for the smallest g that gives every unit."""
    for g in range(1, p):
        powers = [1]
        while (following := powers[-1] * g % p) != 1:
            powers.append(following)
        if len(powers) == p - 1:
            return tuple(powers)
    raise ValueError(f"{p} is no prime")
