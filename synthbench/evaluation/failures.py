"""What is left of an evaluation some of whose cells failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.errors import SynthbenchError, explain
from synthbench.measurements.rows import MeasuredRows
from synthbench.plan.cell import Cell
from synthbench.results.results import Results


class IncompleteError(SynthbenchError, RuntimeError):
    """Something failed, and all that does not depend on it was done."""


@dataclass(frozen=True)
class FailedCell:
    """A cell of an evaluation that could not be finished, and why.

    apart: what tells it from cells of the same model and task in that evaluation; mostly nothing.
    """

    cell: Cell
    error: Exception
    apart: str = ""

    def __str__(self) -> str:
        """One line, or as many as the error has."""
        name = f'"{self.cell.label()}" on "{self.cell.task.label()}"'
        return f"{name}{self.apart and f', {self.apart}'}: {reason(self.error)}"


class CellsFailedError(IncompleteError):
    """Some cells of an evaluation failed; all others were trained, and lie in their folders.

    results: the finished ones, in the order of the plan, as `Results`. failed: the others in that
    order, each with its `cell` and the `error` that ended it.
    """

    def __init__(self, results: Results, failed: Sequence[FailedCell]) -> None:
        self.results, self.failed = results, tuple(failed)
        super().__init__(what_failed("cells", len(results), [str(each) for each in self.failed]))


class GridsFailedError(IncompleteError):
    """Some grids of a study, or some of their cells, failed; what could be trained is.

    results: by the name of the grid, of all that have any: those that finished, and what finished
    of others. errors: by the name of the grid.
    """

    def __init__(
        self,
        results: Mapping[str, Results | MeasuredRows],
        errors: Mapping[str, SynthbenchError],
    ) -> None:
        self.results, self.errors = dict(results), dict(errors)
        super().__init__("\n".join(f"{name}: {error}" for name, error in self.errors.items()))


class MeasurementsFailedError(IncompleteError):
    """Some configurations of a grid of measurements failed; all others were measured.

    results: their rows. errors: by the label of the configuration.
    """

    def __init__(self, results: MeasuredRows, errors: Mapping[str, Exception]) -> None:
        self.results, self.errors = results, dict(errors)
        lines = [f'"{label}": {reason(error)}' for label, error in errors.items()]
        super().__init__(what_failed("measurements", len(results.parts), lines))


class TrialsFailedError(IncompleteError):
    """Some trials of a tuning failed and are out of it; all others were tried.

    errors: by the model and the task of the trial.
    """

    def __init__(self, errors: Mapping[str, Exception], finished: int) -> None:
        self.errors = dict(errors)
        lines = [f"{label}: {reason(error)}" for label, error in errors.items()]
        super().__init__(what_failed("trials", finished, lines))


class SourceFailedError(SynthbenchError, RuntimeError):
    """A cell on which another stands failed."""

    def __init__(self, cell: Cell, error: Exception) -> None:
        self.error = error
        super().__init__(f'it stands on "{cell.label()}", which failed: {reason(error)}')


def reason(error: Exception) -> str:
    """What to say of an error; of one that is no message of ours, how to see its place."""
    if isinstance(error, SynthbenchError):
        return str(error)
    return f"{explain(error)} (alone it shows where)"


def what_failed(kind: str, finished: int, lines: Sequence[str]) -> str:
    """How many did, a line for each of them, and what to do."""
    rest = "the others are finished" if finished else "none is finished"
    listed = "\n  ".join(lines)
    return (
        f"{len(lines)} of {len(lines) + finished} {kind} failed, {rest}:\n  {listed}\n"
        "mend that and run the same command again: what is finished is kept"
    )
