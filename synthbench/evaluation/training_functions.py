"""What stacks of some cells compute, and how that is executed best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from synthbench.contracts.recipe import Recipe
from synthbench.engine.axis.compiling import executing
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

    run: of the first cell. together: that cell with the replicas of all. cells: all of them.
    """

    run: CellRun
    together: Cell
    cells: Sequence[Cell]
    _compiled: list[CellFunctions] = field(default_factory=list, init=False)

    def of(self, executor: Executor) -> CellFunctions:
        """What stacks compute, executed in that way."""
        if executor is Executor.REPLAYED:
            return self._stacked
        if not self._compiled:
            way = self.run.facts.ways.right[0]
            compiled = stacked_functions(self.run.cell, way, executing(executor), self._recipes)
            self._compiled.append(compiled)
        return self._compiled[0]

    def choose(self, available: int) -> TrainingChoice:
        """Measure how to train; available: threads of a CPU."""
        run, wanted = self.run, self.run.settings.replicas_per_block
        found = choose_way(self.together, run.facts, run.device, wanted, self._untaught)
        count = choose_threads(self.together, run.device, found, self._untaught, available)
        executor = self._choose_executor(found)
        return TrainingChoice(found.way, found.widest, executor, count)

    @property
    def _recipes(self) -> list[Recipe]:
        return [cell.model.recipe for cell in self.cells]

    @cached_property
    def _stacked(self) -> CellFunctions:
        way = self.run.facts.ways.right[0]
        return stacked_functions(self.run.cell, way, recipes=self._recipes)

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
            return step_seconds(self.together, found.widest, run.device, functions)

        left = found.left
        if left is None:
            blocks = -(-self.together.protocol.seeds // found.widest)
            left = self.together.steps * blocks * seconds(self._stacked)
        if run.cell.protocol.until == "solved":
            left /= 2  # The budget is the most that it may take.
        build = partial(stacked_functions, run.cell, way, recipes=self._recipes)
        known = known_compilations(f"{run.environment.device_name}, 1 thread")
        choice = choose_executor(wanted, Trial(left, build, seconds), known)
        if choice.functions is not None:
            self._compiled.append(choice.functions)
        if choice.note is not None:
            self._note_step(choice.note)
        return choice.executor

    def _note_step(self, what: str) -> None:
        self.run.listener.note(f'the step of "{self.run.cell.model.label()}" is {what}')
