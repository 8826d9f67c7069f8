"""What stacks of some cells compute, and how that is executed best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from synthbench.engine.axis.compiling import executing
from synthbench.engine.axis.tracing import Execute, replayed
from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.training.block_size import step_seconds
from synthbench.engine.training.cell_functions import CellFunctions, stacked_functions
from synthbench.evaluation.compilations import known_compilations
from synthbench.evaluation.executor_choice import Trial, choose_executor
from synthbench.evaluation.record_writing import describe_environment
from synthbench.evaluation.stack import Stack
from synthbench.evaluation.training_choice import TrainingChoice, spread
from synthbench.evaluation.way_choice import WayChoice, choose_threads, choose_way

Note: TypeAlias = Callable[[str], None]


@dataclass
class TrainingFunctions:
    """Kept while cells train, because blocks of one width share its traces."""

    stack: Stack
    _compiled: CellFunctions | None = field(default=None, init=False)

    def of(self, executor: Executor) -> CellFunctions:
        """What stacks compute, executed in that way."""
        if executor is Executor.REPLAYED:
            return self._stacked
        if self._compiled is None:
            self._compiled = self._build(executing(executor))
        return self._compiled

    def choose(self, available: int, parts: int, note: Note) -> TrainingChoice:
        """Measure how to train.

        available: threads of a CPU. parts: blocks there should be, where they are not soon done.
        note: takes what a person should know of it.
        """
        stack = self.stack
        found = choose_way(stack.together, stack.facts, stack.device, stack.widest, self._untaught)
        count = choose_threads(stack.together, stack.device, found, self._untaught, available)
        executor = self._choose_executor(found, note)
        widest = found.widest
        if stack.widest is None:
            widest = spread(widest, stack.replicas, found.left, parts)
        return TrainingChoice(found.way, widest, executor, count)

    def _build(self, execute: Execute) -> CellFunctions:
        recipes = [cell.model.recipe for cell in self.stack.cells]
        return stacked_functions(self.stack.first, self._way, execute, recipes)

    @property
    def _way(self) -> Way:
        return self.stack.facts.ways.right[0]

    @cached_property
    def _stacked(self) -> CellFunctions:
        return self._build(replayed)

    def _untaught(self) -> CellFunctions:
        """For measuring, where no teacher is at hand."""
        return self._stacked if self.stack.first.teacher is None else self._without_teacher

    @cached_property
    def _without_teacher(self) -> CellFunctions:
        alone = replace(self.stack.first, teacher=None)
        return stacked_functions(alone, self._way)

    def _choose_executor(self, found: WayChoice, note: Note) -> Executor:
        """Of a stack's steps."""
        stack, way, wanted = self.stack, found.way, self.stack.compile
        cell, device, together = stack.first, stack.device, stack.together
        what = f'the step of "{cell.model.label()}" is'
        if way is not Way.TRACED or cell.teacher is not None or wanted == "never":
            if wanted == "always":
                reason = "it has a teacher" if way is Way.TRACED else "it is not recorded"
                note(f"{what} not compiled ({reason})")
            return Executor.REPLAYED

        def seconds(functions: CellFunctions) -> float:
            return step_seconds(together, found.widest, device, functions)

        left = found.left
        if left is None:
            blocks = -(-stack.replicas // found.widest)
            left = together.steps * blocks * seconds(self._stacked)
        if cell.protocol.until == "solved":
            left /= 2  # The budget is the most that it may take.
        machine = describe_environment(device, ()).device_name
        known = known_compilations(f"{machine}, 1 thread")
        choice = choose_executor(wanted, Trial(left, self._build, seconds), known)
        if choice.functions is not None:
            self._compiled = choice.functions
        if choice.note is not None:
            note(f"{what} {choice.note}")
        return choice.executor


_kept: dict[str, TrainingFunctions] = {}
MOST_KEPT = 2
"""Stacks of which a process keeps what it has traced: their blocks may come in turns."""


def functions_here(stack: Stack) -> TrainingFunctions:
    """Those of a stack in this process, made when they are first asked for."""
    if stack.name not in _kept:
        while len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[stack.name] = TrainingFunctions(stack)
    return _kept[stack.name]


def forget_functions(stack: Stack) -> None:
    """Let go of those of a stack that is done."""
    _kept.pop(stack.name, None)
