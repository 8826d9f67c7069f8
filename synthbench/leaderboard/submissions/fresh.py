"""A submission on seeds that nobody had when it was made: `fresh.json`, written by a verifier.

Ranked seeds are public, so that a recipe can be chosen on them. Fresh seeds are a hash of a
*beacon*, a public string that did not exist when the submission was made (a drawing of a lottery,
the hash of a day's headline), and of the suite. Nothing of the submission enters: whoever knew
the beacon could otherwise change a word of the description until the seeds suit, and entries could
not be compared on the same ones. For that a beacon serves only submissions older than it.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import SubmissionError, first_mistake
from synthbench.hashing import HASH, file_hash
from synthbench.leaderboard.submissions.files import FRESH_FILE, LARGEST, check_file, read_json
from synthbench.leaderboard.submissions.submission import (
    MOST,
    SUBMISSION_FILE,
    Date,
    Submission,
)
from synthbench.leaderboard.submissions.texts import check_values, one_line
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.suite import Suite
from synthbench.records.schema import Environment, Record

FEWEST_SEEDS = 6
"""With fewer there are no intervals."""
DOMAIN = "synthbench fresh seeds"
LOWEST_SEED = 2**62
"""Fresh seeds lie from here on: far above those that rank and those that tune."""


def _beacon(text: str) -> str:
    one_line(text)
    day, _, rest = text.partition(" ")
    if len(day) != len("2026-01-31") or date.fromisoformat(day).isoformat() != day or not rest:
        raise ValueError(
            "must begin with the date on which it became public, then say what it is: "
            "'2026-01-31 lottery 4 8 15 16 23 42'"
        )
    return text


Beacon = Annotated[str, Field(max_length=200), AfterValidator(_beacon)]


class FreshCell(Frozen):
    """One cell on fresh seeds.

    samples_to_target: of each seed, null where it did not solve the task. data: of each, as in a
    record. environment: where it was trained.
    """

    samples_to_target: tuple[Annotated[int, Field(ge=1, le=MOST)] | None, ...]
    data: tuple[Annotated[str, Field(pattern=HASH)], ...]
    environment: Environment
    wall_seconds: float = Field(ge=0)


class FreshResult(Frozen):
    """What a verifier found on fresh seeds."""

    schema_version: Literal[1] = 1
    submission: str = Field(pattern=HASH)
    """SHA-256 of the `submission.json` that was trained, and through it of its records."""
    beacon: Beacon
    first_seed: int = Field(ge=LOWEST_SEED, le=2**64)
    seeds: int = Field(ge=FEWEST_SEEDS, le=100_000)
    created: Date
    """Date, UTC."""
    cells: tuple[FreshCell, ...]


def first_fresh_seed(beacon: str, suite: Suite) -> int:
    """The first of the seeds that a beacon gives a suite; the others follow it.

    The first 62 bits of SHA-256 over `synthbench fresh seeds`, the suite's hash and the beacon,
    each on a line of UTF-8, above 2^62: the same for every submission and cell.
    """
    text = "\n".join((DOMAIN, suite.hash(), beacon))
    digest = hashlib.sha256(text.encode()).digest()
    return LOWEST_SEED + (int.from_bytes(digest[:8], "big") >> 2)


def check_beacon(beacon: str, submission: Submission, today: date) -> None:
    """Raise SubmissionError for a beacon that is none, or could be known to the submitter."""
    try:
        _beacon(beacon)
    except ValueError as error:
        raise SubmissionError(f"the beacon {error}") from None
    day = date.fromisoformat(beacon[:10])
    if day > today:
        raise SubmissionError(f"the beacon is of {day}, which has not come yet")
    _check_is_later(day, submission)


def _check_is_later(day: date, submission: Submission) -> None:
    if day <= date.fromisoformat(submission.created):
        raise SubmissionError(
            f"the beacon is of {day}, the submission of {submission.created}: it must be younger, "
            "or its seeds could be known to whoever made the submission"
        )


def fresh_protocol(protocol: Protocol, first_seed: int, seeds: int) -> Protocol:
    """How a cell is measured on fresh seeds: as it is ranked."""
    return protocol.model_copy(update={"first_seed": first_seed, "seeds": seeds})


def read_fresh(
    folder: Path, submission: Submission, records: list[Record], suite: Suite
) -> FreshResult | None:
    """The result on fresh seeds beside a submission, checked; None where there is none.

    records: one for each cell. Raises SubmissionError where it is of another submission or suite,
    its seeds are not those of its beacon, or a time cannot be one.
    """
    path = folder / FRESH_FILE
    if not path.exists() and not path.is_symlink():
        return None
    check_file(path, folder, LARGEST[FRESH_FILE])
    try:
        found = FreshResult.model_validate_json(read_json(path), strict=True)
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise SubmissionError(f"{FRESH_FILE}: {where or 'as a whole'}: {message}") from None
    try:
        check_values(found.model_dump(mode="json", exclude={"first_seed"}), "a value")
        _check(found, folder, submission, suite)
        _check_cells(found, records)
    except SubmissionError as error:
        raise SubmissionError(f"{FRESH_FILE}: {error}") from None
    return found


def _check(found: FreshResult, folder: Path, submission: Submission, suite: Suite) -> None:
    if found.submission != file_hash(folder / SUBMISSION_FILE):
        raise SubmissionError("it is of another submission: the hash of submission.json differs")
    if found.first_seed != first_fresh_seed(found.beacon, suite):
        raise SubmissionError("first_seed is not what its beacon and the suite give")
    _check_is_later(date.fromisoformat(found.beacon[:10]), submission)
    last = found.first_seed + found.seeds
    for trial in submission.trials:
        if trial.first_seed < last and found.first_seed < trial.first_seed + trial.seeds:
            raise SubmissionError(f"its seeds are among those that tuned cell {trial.cell}")


def _check_cells(found: FreshResult, records: list[Record]) -> None:
    if len(found.cells) != len(records):
        raise SubmissionError(f"{len(found.cells)} cells, the suite has {len(records)}")
    for number, (cell, record) in enumerate(zip(found.cells, records, strict=True), start=1):
        if not len(cell.samples_to_target) == len(cell.data) == found.seeds:
            raise SubmissionError(f"cell {number} does not have a time and a hash for each seed")
        steps = evaluation_steps(record.steps, record.protocol["resolution"])
        allowed = {max(step * record.batch_size, 1) for step in steps}
        for time in cell.samples_to_target:
            if time is not None and time not in allowed:
                raise SubmissionError(f"cell {number}: nothing is measured after {time:,} samples")
        if set(cell.data) & {replica.data for replica in record.replicas}:
            raise SubmissionError(f"cell {number} has data of the ranked seeds")
