"""The search for the best configuration of one model on one task.

A search trains nothing. It is a generator that yields the cells that it wants next and is sent
their results, so that what several searches want can be trained together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from synthbench.plan.cell import Cell
from synthbench.results.measured_cell import MeasuredCell
from synthbench.tuning.proposals import Proposal, Proposer
from synthbench.tuning.standing import contenders, ranked
from synthbench.tuning.trial import Trial

T = TypeVar("T")
Outcome: TypeAlias = "MeasuredCell | Exception"
"""What was measured of a cell, or what ended its training."""
Training: TypeAlias = Generator[list[Cell], Sequence[Outcome], T]
"""Yields cells to be trained, is sent the outcome of each, and returns something."""


def search(
    proposer: Proposer, make: Callable[[Proposal], Cell], count: int
) -> Training[list[Trial]]:
    """Try so many configurations; the trials, in the order in which they were proposed.

    make: the cell of a configuration, with its full budget. One that fails is one of them.
    """
    trials: list[Trial] = []
    while len(trials) < count:
        wanted = min(proposer.round or count, count - len(trials))
        proposed = proposer.ask(wanted)
        if not proposed:
            break
        begun = len(trials)
        numbered = enumerate(proposed, start=begun + 1)
        trials += [Trial(number, proposal, make(proposal)) for number, proposal in numbered]
        trials = yield from race(trials)
        for trial in trials[begun:]:
            proposer.tell(trial.proposal, None if trial.error else trial.loss)
    return (yield from _finished(trials))


def race(trials: Sequence[Trial]) -> Training[list[Trial]]:
    """Train for longer and longer who may still be best, until there is nobody else.

    A trial stops once it is beaten for certain: whatever the rest of its budget brought, another
    would be ahead. So the one that remains is the one that full budgets would have found.
    """
    found = list(trials)
    while growing := _growing(found):
        cells = [found[place].longer for place in growing]
        outcomes = yield cells
        for place, cell, outcome in zip(growing, cells, outcomes, strict=True):
            found[place] = _grown(found[place], cell, outcome)
    return found


def best_place(trials: Sequence[Trial]) -> int | None:
    """The place of the best trial; of equals the one proposed first. None where all failed."""
    sound = _sound(trials)
    return sound[ranked([trials[place].known for place in sound])[0]] if sound else None


def _sound(trials: Sequence[Trial]) -> list[int]:
    """Places of the trials that have not failed."""
    return [place for place, trial in enumerate(trials) if trial.error is None]


def _growing(trials: Sequence[Trial]) -> list[int]:
    """Places of the trials that have to be trained for longer before the best one is known."""
    sound = _sound(trials)
    left = [sound[each] for each in contenders([trials[place].standing for place in sound])]
    unplaced = [p for p in left if trials[p].standing is None or not trials[p].known.placed]
    if unplaced:
        return unplaced
    # Equal medians: who solves more of the rest, or ends higher.
    return [p for p in left if not trials[p].known.complete] if len(left) > 1 else []


def _finished(trials: list[Trial]) -> Training[list[Trial]]:
    """The best one with its full budget spent, for its interval and its share solved."""
    while (best := best_place(trials)) is not None and not trials[best].known.complete:
        full = trials[best].cell
        (outcome,) = yield [full]
        trials = [*trials[:best], _grown(trials[best], full, outcome), *trials[best + 1 :]]
        if trials[best].error is not None:
            # Others may be the best again.
            trials = yield from race(trials)
    return trials


def _grown(trial: Trial, cell: Cell, outcome: Outcome) -> Trial:
    """The trial after that cell of its was trained, or was not."""
    if isinstance(outcome, Exception):
        return replace(trial, error=outcome)
    return trial.after(cell.protocol.budget, outcome)
