"""The search for the best configuration of one model on one task.

A search trains nothing. It is a generator that yields the cells that it wants next and is sent
their results, so that what several searches want can be trained together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias, TypeVar

from synthbench.plan.cell import Cell
from synthbench.results.measured_cell import MeasuredCell
from synthbench.tuning.proposals import Proposal, Proposer
from synthbench.tuning.standing import contenders, ranked
from synthbench.tuning.trial import Trial

T = TypeVar("T")
Training: TypeAlias = Generator[list[Cell], Sequence[MeasuredCell], T]
"""Yields cells to be trained, is sent what was measured of each, and returns something."""


def search(
    proposer: Proposer, make: Callable[[Proposal], Cell], count: int
) -> Training[list[Trial]]:
    """Try so many configurations; the trials, in the order in which they were proposed.

    make: the cell of a configuration, with its full budget.
    """
    trials: list[Trial] = []
    while len(trials) < count:
        wanted = min(proposer.round or count, count - len(trials))
        proposed = proposer.ask(wanted)
        if not proposed:
            break
        begun = len(trials)
        trials += [Trial(proposal, make(proposal)) for proposal in proposed]
        trials = yield from race(trials)
        for trial in trials[begun:]:
            proposer.tell(trial.proposal, trial.loss)
    return (yield from _finished(trials))


def race(trials: Sequence[Trial]) -> Training[list[Trial]]:
    """Train for longer and longer who may still be best, until there is nobody else.

    A trial stops once it is beaten for certain: whatever the rest of its budget brought, another
    would be ahead. So the one that remains is the one that full budgets would have found.
    """
    found = list(trials)
    while growing := _growing(found):
        cells = [found[place].longer for place in growing]
        measured = yield cells
        for place, cell, result in zip(growing, cells, measured, strict=True):
            found[place] = found[place].after(cell.protocol.budget, result)
    return found


def best_place(trials: Sequence[Trial]) -> int:
    """The place of the best trial; of equals the one that was proposed first."""
    return ranked([trial.known for trial in trials])[0]


def _growing(trials: Sequence[Trial]) -> list[int]:
    """Places of the trials that have to be trained for longer before the best one is known."""
    left = contenders([trial.standing for trial in trials])
    unplaced = [p for p in left if trials[p].standing is None or not trials[p].known.placed]
    if unplaced:
        return unplaced
    # Equal medians: who solves more of the rest, or ends higher.
    return [p for p in left if not trials[p].known.complete] if len(left) > 1 else []


def _finished(trials: list[Trial]) -> Training[list[Trial]]:
    """The best one with its full budget spent, for its interval and its share solved."""
    best = best_place(trials)
    if trials[best].known.complete:
        return trials
    full = trials[best].cell
    (measured,) = yield [full]
    finished = trials[best].after(full.protocol.budget, measured)
    return [*trials[:best], finished, *trials[best + 1 :]]
