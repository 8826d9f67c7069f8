"""Reading a submission, trusting nothing: every rule that can be checked without training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from synthbench.errors import RecordError, SubmissionError, SynthbenchError, first_mistake
from synthbench.hashing import content_hash, file_hash
from synthbench.leaderboard.submissions.architecture import architecture_of
from synthbench.leaderboard.submissions.expected import ExpectedCell
from synthbench.leaderboard.submissions.files import (
    LARGEST,
    check_file,
    check_files,
    read_json,
    read_trajectories,
)
from synthbench.leaderboard.submissions.fresh import FreshResult, read_fresh
from synthbench.leaderboard.submissions.record_checks import check_record, check_suite
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE, Submission, cell_folder
from synthbench.leaderboard.submissions.texts import printable
from synthbench.leaderboard.submissions.trajectory_checks import check_trajectories
from synthbench.plan.suite import Suite
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE, read_record
from synthbench.records.schema import Record
from synthbench.registry.registry import installed
from synthbench.results.measured_cell import MeasuredCell


@dataclass(frozen=True)
class CheckedSubmission:
    """A submission that holds together, with its cells in the order of the suite.

    fresh: what a verifier found on seeds that nobody had before, where one has looked.
    """

    submission: Submission
    folder: Path
    cells: tuple[MeasuredCell, ...]
    fresh: FreshResult | None = None


def read_submission(
    folder: Path, suite: Suite, expected: Sequence[ExpectedCell]
) -> CheckedSubmission:
    """Read and check a submission; expected: `expected_cells(suite)`.

    Raises SubmissionError with one line that names what is wrong.
    """
    try:
        return _read(folder, suite, expected)
    except SubmissionError as error:
        raise SubmissionError(printable(str(error))) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SubmissionError(printable(f"{folder.name} cannot be read: {reason}")) from None


def _read(folder: Path, suite: Suite, expected: Sequence[ExpectedCell]) -> CheckedSubmission:
    check_files(folder, len(expected))
    submission = _read_manifest(folder)
    check_suite(submission.suite, expected[0].suite)
    if len(submission.records) != len(expected):
        raise SubmissionError(
            f"{SUBMISSION_FILE}: {len(submission.records)} records, the suite has "
            f"{len(expected)} cells"
        )
    cells = []
    for number, (wanted, digest) in enumerate(
        zip(expected, submission.records, strict=True), start=1
    ):
        try:
            cells.append(_read_cell(cell_folder(folder, number), wanted, digest))
        except SynthbenchError as error:
            raise SubmissionError(f"cell {number}: {error}") from None
    records = [cell.record for cell in cells]
    check_track(submission, records, suite)
    fresh = read_fresh(folder, submission, records, suite)
    return CheckedSubmission(submission, folder, tuple(cells), fresh)


def suite_of(folder: Path) -> Suite:
    """The installed suite that a submission says it is for.

    Raises SubmissionError where it is none or cannot be read, UnknownNameError for a suite that
    is not installed.
    """
    if not (folder / SUBMISSION_FILE).exists():
        raise SubmissionError(
            f"{folder} holds no submission; name one such as leaderboards/SUITE/submissions/NAME"
        )
    check_file(folder / SUBMISSION_FILE, folder, LARGEST[SUBMISSION_FILE])
    return installed().suite(_read_manifest(folder).suite.name)


def _read_manifest(folder: Path) -> Submission:
    try:
        text = read_json(folder / SUBMISSION_FILE)
        submission = Submission.model_validate_json(text, strict=True)
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        reason = f"{SUBMISSION_FILE}: {where or 'as a whole'}: {message}"
        raise SubmissionError(printable(reason)) from None
    if submission.name != folder.resolve().name:
        raise SubmissionError(
            f"{SUBMISSION_FILE}: name is {submission.name!r}, its folder is {folder.name!r}"
        )
    return submission


def _read_cell(folder: Path, expected: ExpectedCell, digest: str) -> MeasuredCell:
    if file_hash(folder / RECORD_FILE) != digest:
        raise SubmissionError(f"{RECORD_FILE} does not match its hash in {SUBMISSION_FILE}")
    read_json(folder / RECORD_FILE)
    try:
        record = read_record(folder)
    except RecordError as error:
        # Its advice is for one's own run.
        reason = str(error).partition("; move it away")[0].replace(f"{folder}{os.sep}", "")
        raise SubmissionError(reason) from None
    if set(record.files) != {TRAJECTORIES_FILE}:
        raise SubmissionError("a submission holds trajectories and no other data")
    check_record(record, expected)
    trajectories = read_trajectories(folder / TRAJECTORIES_FILE, expected.most_rows())
    check_trajectories(trajectories, record, expected)
    return MeasuredCell(record, folder)


def check_track(submission: Submission, records: Sequence[Record], suite: Suite) -> None:
    """Raise SubmissionError unless models and trials obey the rules of the track.

    records: one for each cell.
    """
    if submission.track == "fixed-recipe":
        used = {(record.model, content_hash(record.model_plan)) for record in records}
        if len(used) > 1:
            raise SubmissionError("the fixed-recipe track has one configuration for all cells")
        return
    if len({architecture_of(record.model_plan) for record in records}) > 1:
        raise SubmissionError("the tuned track has one architecture for all cells")
    _check_trials(submission, records, suite)


def _check_trials(submission: Submission, records: Sequence[Record], suite: Suite) -> None:
    tried: dict[int, list[str]] = {}
    for trial in submission.trials:
        if trial.cell > len(records):
            raise SubmissionError(f"trials: there is no cell {trial.cell}")
        if trial.first_seed < suite.seeds:
            raise SubmissionError(
                f"trials: seeds {trial.first_seed}... are the leaderboard's own; tune with "
                f"--first-seed {suite.seeds} or more"
            )
        tried.setdefault(trial.cell, []).append(trial.model)
    for number, record in enumerate(records, start=1):
        models = tried.get(number, [])
        if not 1 <= len(models) <= suite.tuning_trials:
            raise SubmissionError(
                f"cell {number}: {len(models)} configurations were tried, the suite asks for "
                f"1 to {suite.tuning_trials}"
            )
        if record.model not in models:
            raise SubmissionError(
                f"cell {number}: the submitted model {record.model!r} is not among its trials"
            )
        _check_was_paid(submission, number, record.model)


def _check_was_paid(submission: Submission, number: int, model: str) -> None:
    """Raise for a chosen model whose trial has cost nothing: its folder holds no training."""
    for trial in submission.trials:
        if (trial.cell, trial.model) == (number, model) and not (trial.samples and trial.flops):
            raise SubmissionError(
                f"cell {number}: the trial of the submitted model {model!r} has cost "
                f"{trial.samples:,} samples and {trial.flops:,} FLOPs; a trial is charged what it "
                "trained"
            )
