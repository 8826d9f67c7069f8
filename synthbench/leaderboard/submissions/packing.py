"""From a run folder to a submission: choose, check, copy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from synthbench.engine.data.fingerprints import data_fingerprints
from synthbench.errors import ConfigurationError, SubmissionError, did_you_mean, first_mistake
from synthbench.leaderboard.submissions.expected import ExpectedCell, expected_cells, rebuild_cell
from synthbench.leaderboard.submissions.reading import CheckedSubmission, read_submission
from synthbench.leaderboard.submissions.record_checks import check_stands_alone
from synthbench.leaderboard.submissions.submission import (
    SUBMISSION_FILE,
    SUBMISSIONS,
    Submission,
    Track,
    TuningTrial,
    cell_folder,
)
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.suite import Suite
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import make_folder, staging, write_atomically
from synthbench.records.content import parquet_bytes, record_bytes
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE
from synthbench.records.schema import Record
from synthbench.registry.kinds import MODEL
from synthbench.registry.participants import uninstalled
from synthbench.registry.registry import installed
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.narrowed import narrowed
from synthbench.results.results import largest

ALLOWED = {
    "name": "must be lower-case words and numbers joined by hyphens, 64 characters at most",
    "link": "must begin with https:// and hold no blanks, 300 characters at most",
}
"""What pydantic says as regular expressions."""


@dataclass(frozen=True)
class Wording:
    """What a submitter says of a submission."""

    name: str
    title: str
    authors: tuple[str, ...]
    description: str = ""
    link: str | None = None


def find_suite(cells: Sequence[MeasuredCell], run: Path) -> Suite:
    """The suite that a run belongs to; SubmissionError where it belongs to none or to several."""
    names = {cell.record.suite.name for cell in cells if cell.record.suite is not None}
    if len(names) != 1 or any(cell.record.suite is None for cell in cells):
        raise SubmissionError(
            f"{run} is not the run of one suite; use `synthbench eval SUITE --model ...`"
        )
    return installed().suite(names.pop())


def choose_cells(
    cells: Sequence[MeasuredCell], suite: Suite, track: Track, model: str | None
) -> list[MeasuredCell]:
    """The one result for each of the suite's cells, in its order.

    model: where a run holds several, the one to submit. Of a cell with more replicas than the
    suite's the first ones are taken. Raises SubmissionError where a cell is missing, has several
    results, or has one that nobody else could run.
    """
    if model is not None:
        known = list(dict.fromkeys(cell.record.model for cell in cells))
        label = model if model in known else installed().model(model).label()
        if label not in known:
            raise SubmissionError(
                f"the run has no model {label!r}{did_you_mean(label, known)} "
                f"(models: {'; '.join(known)})"
            )
        cells = [cell for cell in cells if cell.record.model == label]
    chosen = []
    for number, expected in enumerate(expected_cells(suite), start=1):
        task, budget = expected.task.label(), expected.protocol.budget
        fitting = largest([c for c in cells if c.record.task == task and c.budget == budget])
        if not fitting:
            larger = [c.budget for c in cells if c.record.task == task and c.budget > budget]
            raise _missing(f'cell {number} ("{task}", budget {budget:,})', suite, number, larger)
        if len(fitting) > 1:
            models = "; ".join(cell.record.model for cell in fitting)
            advice = (
                "keep the chosen one alone in the folder"
                if track == "tuned"
                else "name one with --model"
            )
            raise SubmissionError(f"cell {number} has several results ({models}): {advice}")
        _check_is_installed(fitting[0].record)
        check_stands_alone(fitting[0].record)
        seeds = min(expected.protocol.seeds, len(fitting[0].record.replicas))
        chosen.append(narrowed(fitting[0], seeds, budget))
    return chosen


def _missing(cell: str, suite: Suite, number: int, larger: Sequence[float]) -> SubmissionError:
    """larger: the budgets of results of its task that are larger than the suite's."""
    command = f"synthbench eval {suite.name} --cell {number}"
    if not larger:
        return SubmissionError(
            f"{cell} is missing: run `{command} --model ...` into the same folder"
        )
    return SubmissionError(
        f"{cell} was run with a budget of {max(larger):,.0f}, within which other evaluations were "
        f"planned: run `{command} --no-resume --model ...` into the same folder"
    )


def _check_is_installed(record: Record) -> None:
    """Raise SubmissionError for the model of a notebook or a script."""
    own = uninstalled(MODEL, record.model_plan)
    if own is not None:
        raise SubmissionError(
            f"model {record.model!r} is not from an installed plugin, so nobody else could run "
            f"it; make it one (synthbench plugin new model {own}) and evaluate that"
        )


def pack(
    cells: Sequence[MeasuredCell],
    suite: Suite,
    wording: Wording,
    track: Track,
    trials: Sequence[TuningTrial],
    folder: Path,
) -> CheckedSubmission:
    """Write `folder/<suite>/submissions/<name>` and check it as anyone would.

    It appears there whole or not at all. Raises SubmissionError for what breaks a rule,
    ConfigurationError where the name is taken or a word is not allowed.
    """
    expected = expected_cells(suite)
    contents = [_record_bytes(cell) for cell in cells]
    submission = _describe(contents, suite, wording, track, trials)
    home = folder / suite.name / SUBMISSIONS
    make_folder(home)
    for root in (home, suite.folder / SUBMISSIONS):
        if (root / submission.name).exists():
            raise _taken(root / submission.name)
    # Same file system, so that the last step is a rename; hidden, so that no board reads it.
    with staging(home) as stage:
        staged = stage / submission.name
        _copy(cells, contents, staged)
        write_atomically(
            staged / SUBMISSION_FILE, submission.model_dump_json(indent=1).encode() + b"\n"
        )
        _check_data(read_submission(staged, suite, expected), expected)
        try:
            staged.rename(home / submission.name)
        except OSError:
            if not (home / submission.name).exists():
                raise
            # Another submit was faster.
            raise _taken(home / submission.name) from None
    return read_submission(home / submission.name, suite, expected)


def _check_data(checked: CheckedSubmission, expected: Sequence[ExpectedCell]) -> None:
    """Raise SubmissionError unless every replica was given the data of its seeds."""
    for number, (cell, wanted) in enumerate(zip(checked.cells, expected, strict=True), start=1):
        planned = rebuild_cell(cell.record, wanted)
        data = data_fingerprints(planned, planned.replica_seeds())
        if [replica.data for replica in cell.record.replicas] != data:
            raise SubmissionError(
                f"cell {number}: the data of its replicas are not those of their seeds"
            )


def _taken(folder: Path) -> ConfigurationError:
    return ConfigurationError(f"{folder} is there already; choose another --name")


def _describe(
    contents: Sequence[bytes],
    suite: Suite,
    wording: Wording,
    track: Track,
    trials: Sequence[TuningTrial],
) -> Submission:
    try:
        return Submission(
            name=wording.name,
            title=wording.title,
            authors=wording.authors,
            description=wording.description,
            link=wording.link,
            suite=SuiteReference(name=suite.name, version=suite.version, hash=suite.hash()),
            track=track,
            trials=tuple(trials),
            created=datetime.now(UTC).date().isoformat(),
            records=tuple(hashlib.sha256(content).hexdigest() for content in contents),
        )
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        field = where.partition(".")[0]
        flag = "--" + field.removesuffix("s") if field else "submission"
        raise ConfigurationError(f"{flag}: {ALLOWED.get(field, message)}") from None


def _record_bytes(cell: MeasuredCell) -> bytes:
    """The record as submitted: kept weights stay behind, and replicas beyond the suite's."""
    content = (cell.folder / RECORD_FILE).read_bytes()
    if set(cell.record.files) == {TRAJECTORIES_FILE} and record_bytes(cell.record) == content:
        return content
    files = {TRAJECTORIES_FILE: hashlib.sha256(_trajectories_bytes(cell)).hexdigest()}
    return record_bytes(cell.record.model_copy(update={"files": files}))


def _trajectories_bytes(cell: MeasuredCell) -> bytes:
    """The file as it lies there, or anew where the record is of fewer replicas than it."""
    path, own = cell.folder / TRAJECTORIES_FILE, cell.trajectories
    whole = own.table.num_rows == Trajectories.read(path).table.num_rows
    return path.read_bytes() if whole else parquet_bytes(own.table)


def _copy(cells: Sequence[MeasuredCell], contents: Sequence[bytes], staged: Path) -> None:
    for number, (cell, content) in enumerate(zip(cells, contents, strict=True), start=1):
        target = cell_folder(staged, number)
        target.mkdir(parents=True)
        write_atomically(target / RECORD_FILE, content)
        write_atomically(target / TRAJECTORIES_FILE, _trajectories_bytes(cell))
