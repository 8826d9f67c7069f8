"""Cells that share a stack of replicas, from their folders to their records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.stack_training import StackTraining
from synthbench.records import Record
from synthbench.results.results import CellResult


def run_cells(runs: Sequence[CellRun]) -> list[CellResult]:
    """Finish cells that differ in numbers alone, or a single one, in the order given.

    Those that are in their folders already are read; the others are trained together.
    """
    with ExitStack() as opened:
        for run in runs:
            opened.enter_context(run.opened())
        found = [run.resumption.finished_record() for run in runs]
        missing = [run for run, record in zip(runs, found, strict=True) if record is None]
        trained = iter(StackTraining.of(missing).records() if missing else [])
        records: list[tuple[Record, bool]] = [
            (next(trained), False) if record is None else (record, True) for record in found
        ]
        for run, (record, reused) in zip(runs, records, strict=True):
            run.complete(record, reused)
    return [
        run.announce(record, reused) for run, (record, reused) in zip(runs, records, strict=True)
    ]
