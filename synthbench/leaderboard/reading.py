"""Reading a submission, trusting nothing: every rule that can be checked without training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from synthbench.errors import RecordError, SubmissionError, SynthbenchError
from synthbench.hashing import file_hash
from synthbench.leaderboard.checking import (
    ExpectedCell,
    check_record,
    check_suite,
    check_trajectories,
)
from synthbench.leaderboard.files import check_files, read_trajectories
from synthbench.leaderboard.submission import SUBMISSION_FILE, Submission, cell_folder
from synthbench.measured_cell import MeasuredCell
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE, read_record
from synthbench.suites import Suite


@dataclass(frozen=True)
class CheckedSubmission:
    """A submission that holds together, with its cells in the order of the suite."""

    submission: Submission
    folder: Path
    cells: tuple[MeasuredCell, ...]


def read_submission(
    folder: Path, suite: Suite, expected: Sequence[ExpectedCell]
) -> CheckedSubmission:
    """Read and check a submission; expected: `expected_cells(suite)`.

    Raises SubmissionError with one line that names what is wrong.
    """
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
    check_track(submission, [cell.record.plan["model"] for cell in cells], suite)
    return CheckedSubmission(submission, folder, tuple(cells))


def _read_manifest(folder: Path) -> Submission:
    try:
        text = (folder / SUBMISSION_FILE).read_text(encoding="utf-8")
        json.loads(text)
        submission = Submission.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        raise SubmissionError(f"{SUBMISSION_FILE}: {where}: {message}") from None
    except (OSError, ValueError, RecursionError):
        raise SubmissionError(f"{SUBMISSION_FILE} is not valid JSON") from None
    if submission.name != folder.resolve().name:
        raise SubmissionError(
            f"{SUBMISSION_FILE}: name is {submission.name!r}, its folder is {folder.name!r}"
        )
    return submission


def _read_cell(folder: Path, expected: ExpectedCell, digest: str) -> MeasuredCell:
    if file_hash(folder / RECORD_FILE) != digest:
        raise SubmissionError(f"{RECORD_FILE} does not match its hash in {SUBMISSION_FILE}")
    try:
        record = read_record(folder)
    except RecordError as error:
        # Its advice is for one's own run.
        reason = str(error).partition("; move it away")[0].replace(f"{folder}/", "")
        raise SubmissionError(reason) from None
    if set(record.files) != {TRAJECTORIES_FILE}:
        raise SubmissionError("a submission holds trajectories and no other data")
    check_record(record, expected)
    trajectories = read_trajectories(folder / TRAJECTORIES_FILE, expected.most_rows())
    check_trajectories(trajectories, record, expected.protocol)
    return MeasuredCell(record, folder)


def check_track(submission: Submission, models: Sequence[dict[str, object]], suite: Suite) -> None:
    """Raise SubmissionError unless models and trials obey the rules of the track.

    models: the configuration used on each cell.
    """
    if submission.track == "fixed-recipe":
        if any(model != models[0] for model in models):
            raise SubmissionError("the fixed-recipe track has one configuration for all cells")
        return
    if len({model["name"] for model in models}) > 1:
        raise SubmissionError("the tuned track has one architecture for all cells")
    counts = Counter(trial.cell for trial in submission.trials)
    for number in range(1, len(models) + 1):
        if not 1 <= counts[number] <= suite.tuning_trials:
            raise SubmissionError(
                f"cell {number}: {counts[number]} configurations were tried, the suite asks for "
                f"1 to {suite.tuning_trials}"
            )
    for trial in submission.trials:
        if trial.cell > len(models):
            raise SubmissionError(f"trials: there is no cell {trial.cell}")
        if trial.first_seed < suite.seeds:
            raise SubmissionError(
                f"trials: seeds {trial.first_seed}... are the leaderboard's own; tune with "
                f"--first-seed {suite.seeds} or more"
            )
