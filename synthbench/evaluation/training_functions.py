"""What stacks of some cells compute, and how that is executed best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from synthbench.engine.axis.compiling import executing
from synthbench.engine.axis.tracing import Execute, replayed
from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.training.block_size import step_seconds
from synthbench.engine.training.cell_functions import CellFunctions, stacked_functions
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.compilations import known_compilations
from synthbench.evaluation.executor_choice import Trial, choose_executor
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.evaluation.way_choice import WayChoice, choose_threads, choose_way
from synthbench.plan.cell import Cell


@dataclass
class TrainingFunctions:
    """Kept while cells train, because blocks of one width share its traces.

    run: of the first cell. cells: all of them.
    """

    run: CellRun
    cells: Sequence[Cell]
    _compiled: CellFunctions | None = field(default=None, init=False)

    def of(self, executor: Executor) -> CellFunctions:
        """What stacks compute, executed in that way."""
        if executor is Executor.REPLAYED:
            return self._stacked
        if self._compiled is None:
            self._compiled = self._build(executing(executor))
        return self._compiled

    def choose(self, available: int) -> TrainingChoice:
        """Measure how to train; available: threads of a CPU."""
        run, wanted = self.run, self.run.settings.replicas_per_block
        found = choose_way(self._together, run.facts, run.device, wanted, self._untaught)
        count = choose_threads(self._together, run.device, found, self._untaught, available)
        executor = self._choose_executor(found)
        return TrainingChoice(found.way, found.widest, executor, count)

    @cached_property
    def _together(self) -> Cell:
        """The first cell with the replicas of all, for measuring."""
        count = sum(cell.protocol.seeds for cell in self.cells)
        first = self.run.cell
        return replace(first, protocol=first.protocol.model_copy(update={"seeds": count}))

    def _build(self, execute: Execute) -> CellFunctions:
        recipes = [cell.model.recipe for cell in self.cells]
        return stacked_functions(self.run.cell, self.run.facts.ways.right[0], execute, recipes)

    @cached_property
    def _stacked(self) -> CellFunctions:
        return self._build(replayed)

    def _untaught(self) -> CellFunctions:
        """For measuring, where no teacher is at hand."""
        return self._stacked if self.run.cell.teacher is None else self._without_teacher

    @cached_property
    def _without_teacher(self) -> CellFunctions:
        alone = replace(self.run.cell, teacher=None)
        return stacked_functions(alone, self.run.facts.ways.right[0])

    def _choose_executor(self, found: WayChoice) -> Executor:
        """Of a stack's steps."""
        run, way, wanted = self.run, found.way, self.run.settings.compile
        if way is not Way.TRACED or run.cell.teacher is not None or wanted == "never":
            if wanted == "always":
                reason = "it has a teacher" if way is Way.TRACED else "it is not recorded"
                self._note_step(f"not compiled ({reason})")
            return Executor.REPLAYED

        def seconds(functions: CellFunctions) -> float:
            return step_seconds(self._together, found.widest, run.device, functions)

        left = found.left
        if left is None:
            blocks = -(-self._together.protocol.seeds // found.widest)
            left = self._together.steps * blocks * seconds(self._stacked)
        if run.cell.protocol.until == "solved":
            left /= 2  # The budget is the most that it may take.
        known = known_compilations(f"{run.environment.device_name}, 1 thread")
        choice = choose_executor(wanted, Trial(left, self._build, seconds), known)
        if choice.functions is not None:
            self._compiled = choice.functions
        if choice.note is not None:
            self._note_step(choice.note)
        return choice.executor

    def _note_step(self, what: str) -> None:
        self.run.listener.note(f'the step of "{self.run.cell.model.label()}" is {what}')
