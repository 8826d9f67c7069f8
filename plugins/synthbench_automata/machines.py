"""The machines: which state each symbol leads to, and how likely the symbols are.

Generators and start states are those of the data sets that Liu et al. 2023 have released.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Name = Literal["parity", "cyclic-5", "flip-flop", "s3", "d4", "quaternion", "a5", "s5", "gridworld"]
Permutation = tuple[int, ...]

GENERATORS: dict[str, tuple[Permutation, ...]] = {
    "parity": ((0, 1), (1, 0)),
    "cyclic-5": ((0, 1, 2, 3, 4), (1, 2, 3, 4, 0)),
    "s3": ((0, 1, 2), (1, 2, 0), (1, 0, 2)),
    "d4": ((3, 2, 1, 0), (1, 2, 3, 0)),
    "quaternion": (
        (0, 1, 2, 3, 4, 5, 6, 7),
        (1, 4, 7, 2, 5, 0, 3, 6),
        (2, 3, 4, 5, 6, 7, 0, 1),
        (3, 6, 1, 4, 7, 2, 5, 0),
    ),
    "a5": ((0, 1, 2, 3, 4), (1, 2, 0, 3, 4), (1, 3, 2, 0, 4), (1, 4, 2, 3, 0)),
    "s5": ((0, 1, 2, 3, 4), (1, 2, 3, 4, 0), (1, 0, 2, 3, 4)),
}
"""What each symbol of a group does to points, the identity first where it is a symbol.

d4: a reflection and a rotation of the square. quaternion: what a product with 1, i, j and k makes
of 1, i, j, k, -1, -i, -j, -k. a5: cycles of three. s5 and s3: the cycle of all, and a swap.
"""


@dataclass(frozen=True)
class Machine:
    """A semiautomaton that starts in state 0, and the law of its words.

    table: `table[state][symbol]` is the next state. chances: probability of each symbol, all of
    a word independent.
    """

    table: tuple[tuple[int, ...], ...]
    chances: tuple[float, ...]

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.table)

    @property
    def symbols(self) -> int:
        """Number of symbols."""
        return len(self.chances)


@lru_cache
def machine(name: str, cells: int, ignores: float) -> Machine:
    """One of the machines; cells: of the gridworld; ignores: their share in flip-flop's words."""
    if name == "flip-flop":
        write = (1 - ignores) / 2
        return Machine(((0, 0, 1), (1, 0, 1)), (ignores, write, write))
    if name == "gridworld":
        walk = tuple((max(cell - 1, 0), min(cell + 1, cells - 1)) for cell in range(cells))
        return Machine(walk, (0.5, 0.5))
    generators = GENERATORS[name]
    table = reached(tuple(range(len(generators[0]))), generators, product)[1]
    return Machine(table, (1 / len(generators),) * len(generators))


def product(element: Permutation, generator: Permutation) -> Permutation:
    """The element, then the generator."""
    return tuple(generator[point] for point in element)


def reached(
    start: Permutation,
    steps: tuple[Permutation, ...],
    step: Callable[[Permutation, Permutation], Permutation],
) -> tuple[tuple[Permutation, ...], tuple[tuple[int, ...], ...]]:
    """All that is reached from a start, in the order in which it is found, and the way there.

    Returns what is found, and for each of it the number of what each of the steps leads to.
    """
    numbers, found, table = {start: 0}, [start], []
    for each in found:
        row = []
        for chosen in steps:
            image = step(each, chosen)
            if image not in numbers:
                numbers[image] = len(found)
                found.append(image)
            row.append(numbers[image])
        table.append(tuple(row))
    return tuple(found), tuple(table)
