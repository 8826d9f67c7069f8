"""Cells that share a stack of replicas, from their folders to their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType

from synthbench.errors import FolderInUseError, OutputError
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.stack_training import StackTraining
from synthbench.evaluation.terms import Terms
from synthbench.records import Record
from synthbench.results.results import CellResult


class StackRun:
    """Cells that differ in numbers alone, or a single one, whose folders are ours until `close`.

    Those that are in their folders already are read; the others are trained together. busy: those
    in whose folders another evaluation is at work, which are left out. A finished one is read
    where its folder cannot be locked or written, too.
    """

    def __init__(self, runs: Sequence[CellRun], terms: Terms, numbers: Iterator[int]) -> None:
        """numbers: for jobs, each of which is given once."""
        self.busy: list[CellRun] = []
        self.error: Exception | None = None
        """Why it cannot be finished: no other job of it is begun."""
        self._runs: list[CellRun] = []
        self._opened = ExitStack()
        self._read_only: set[int] = set()
        self._found: list[Record | None] = []
        with ExitStack() as opened:
            for run in runs:
                try:
                    opened.enter_context(run.opened())
                except FolderInUseError:
                    self.busy.append(run)
                    continue
                except OutputError as error:
                    self._found.append(_read(run, error))
                    self._read_only.add(len(self._runs))
                    opened.enter_context(run.followed())
                else:
                    self._found.append(run.resumption.finished_record())
                self._runs.append(run)
            found = zip(self._runs, self._found, strict=True)
            missing = [run for run, record in found if record is None]
            self.training = StackTraining(missing, terms, numbers) if missing else None
            self._opened = opened.pop_all()

    @property
    def runs(self) -> list[CellRun]:
        """Its cells, less the busy ones."""
        return self._runs

    @property
    def done(self) -> bool:
        """Whether every cell is finished."""
        return self.training is None or self.training.done

    def results(self) -> dict[str, CellResult]:
        """Write the records that are missing, let go of the folders, and tell everybody.

        Returns the results by the hashes of their plans.
        """
        with self._opened:
            trained = iter([] if self.training is None else self.training.records())
            records: list[tuple[Record, bool]] = [
                (next(trained), False) if record is None else (record, True)
                for record in self._found
            ]
            for place, (run, own) in enumerate(zip(self._runs, records, strict=True)):
                if place not in self._read_only:
                    run.complete(*own)
        return {
            run.cell.plan_hash(): replace(run.announce(record, reused), cell=run.cell)
            for run, (record, reused) in zip(self._runs, records, strict=True)
        }

    def abandon(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of the folders; what is finished of the cells stays there."""
        self._opened.__exit__(kind, error, traceback)


def _read(run: CellRun, error: OutputError) -> Record:
    """The record of a finished cell; raises the error where there is none."""
    record = run.resumption.finished_record()
    if record is None:
        raise error
    return record
