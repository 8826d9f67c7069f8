"""What words can do to all states at once, and what is left of them without their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from synthbench_automata.machines import Machine, product, reached


@dataclass(frozen=True)
class Monoid:
    """The maps from states to states that words make: the transformation monoid of a machine.

    maps: `maps[m][state]` is where map m takes a state; map 0 is the identity, the empty word.
    append: `append[m][symbol]` is the map of the word that is longer by a symbol. A group has as
    many maps as elements, flip-flop three: keep the state, write 0, write 1.
    """

    maps: tuple[tuple[int, ...], ...]
    append: tuple[tuple[int, ...], ...]


@lru_cache
def monoid(machine: Machine) -> Monoid:
    """All maps, from the empty word on."""
    symbols = tuple(zip(*machine.table, strict=True))
    return Monoid(*reached(tuple(range(machine.states)), symbols, product))


@lru_cache
def counted_classes(machine: Machine) -> tuple[int, ...]:
    """The class of every state in the largest quotient in which the symbols commute.

    There the order of a word does not matter, so that counting its symbols tells the class. Of a
    group it is the abelianization, the quotient by the commutator subgroup: the sign in a
    symmetric group, all of a commutative one, nothing in A_5, flip-flop and the gridworld.
    """
    table, classes = machine.table, list(range(machine.states))
    letters = range(machine.symbols)
    equal = [
        (table[table[state][a]][b], table[table[state][b]][a])
        for state in range(machine.states)
        for a in letters
        for b in letters
    ]
    # Where two states are one, so are those that each symbol leads to.
    for one, other in equal:
        first, second = sorted((classes[one], classes[other]))
        if first == second:
            continue
        classes = [first if each == second else each for each in classes]
        equal += [(table[one][a], table[other][a]) for a in letters]
    order = sorted(set(classes))
    return tuple(order.index(each) for each in classes)
