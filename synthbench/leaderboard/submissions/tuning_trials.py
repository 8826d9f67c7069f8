"""What was spent on tuning, counted from the records of everything that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.architecture import architecture_of
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.submission import TuningTrial
from synthbench.plan.suite import Suite
from synthbench.records.schema import Record
from synthbench.results.lying import read_cells
from synthbench.results.results import each_once
from synthbench.tuning.record import TRIALS, TUNING_FILE


def count_trials(folders: Sequence[Path], suite: Suite, architecture: str) -> list[TuningTrial]:
    """What was spent on tuning: every finished cell in the folders, matched to the suite's.

    folders: of records, or what `synthbench tune` has written, of which the trials count and what
    confirmed them does not. architecture: as of `architecture_of`; others have trials of their own.
    One configuration is one trial, with all that was spent on it at several budgets. Raises
    SubmissionError for a result on a task that the suite does not have, and where none counts.
    """
    trials: dict[tuple[object, ...], TuningTrial] = {}
    largest: dict[tuple[object, ...], int] = {}
    for folder in folders:
        for result in each_once(read_cells(_trials_in(folder))):
            record = result.record
            cells = _cells_tried(record, suite)
            if not cells:
                raise SubmissionError(f"{folder}: {record.task!r} is not a task of the suite")
            if architecture_of(record.model_plan) != architecture:
                continue
            for number in cells:
                trial = _trial(record, number)
                same = number, content_hash(record.model_plan), trial.first_seed, trial.seeds
                if same in trials:
                    trial = _joined(trials[same], trial, longer=record.budget > largest[same])
                trials[same] = trial
                largest[same] = max(record.budget, largest.get(same, 0))
    if folders and not trials:
        named = ", ".join(map(str, folders))
        raise SubmissionError(f'{named}: nothing of the model "{architecture}" was tried there')
    return list(trials.values())


def _trials_in(folder: Path) -> Path:
    """Where the records of trials lie in a folder that was named."""
    return folder / TRIALS if (folder / TUNING_FILE).exists() else folder


def _cells_tried(record: Record, suite: Suite) -> list[int]:
    """Numbers of the suite's cells for which a record may have been a trial.

    Those of its task and, where several have it, of its training set too; cells that differ in
    their budgets alone share their trials.
    """
    numbered = list(enumerate(expected_cells(suite), start=1))
    same = [(n, cell) for n, cell in numbered if cell.task.label() == record.task]
    rows = record.protocol["train_samples"]
    closer = [n for n, cell in same if cell.protocol.train_samples == rows]
    return closer if len(same) > 1 and closer else [n for n, _ in same]


def _trial(record: Record, number: int) -> TuningTrial:
    steps, protocol = record.compute.replica_steps, record.protocol
    return TuningTrial(
        cell=number,
        model=record.model,
        first_seed=protocol["first_seed"],
        seeds=protocol["seeds"],
        samples=steps * record.batch_size,
        flops=steps * record.compute.step_flops,
        solved=record.summary.solved,
        samples_to_target=record.summary.samples_to_target.value,
    )


def _joined(one: TuningTrial, other: TuningTrial, *, longer: bool) -> TuningTrial:
    """One configuration, with what was spent on it twice; longer: the other had more to spend."""
    spent = {"samples": one.samples + other.samples, "flops": one.flops + other.flops}
    return (other if longer else one).model_copy(update=spent)
