"""What is kept of a tuning: `tuning.json`, beside the folder of its trials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import RecordError, first_mistake
from synthbench.metrics.estimate import Estimate
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import write_atomically
from synthbench.records.hashed import Hashed, hashed_bytes, was_changed
from synthbench.tuning.edges import Side
from synthbench.tuning.proposals import SamplerName

TUNING_FILE = "tuning.json"
TRIALS = "trials"
"""Folder of the records of everything that was tried."""
CONFIRMED = "confirmed"
"""Folder of the chosen configurations on fresh seeds, one folder for each model."""


class TunedOn(Frozen):
    """A task on which models are tuned, and how its trials are measured."""

    task: str
    cell: int | None = Field(default=None, ge=1)
    """Number of the suite's cell."""
    protocol: dict[str, int | float | str | None]


class Question(Frozen):
    """What a tuning asks; how many trials it may take for the answer can grow."""

    suite: SuiteReference | None
    tasks: tuple[TunedOn, ...] = Field(min_length=1)
    models: tuple[str, ...] = Field(min_length=1)
    """Search spaces, as they are typed."""
    sampler: SamplerName
    sampler_seed: int = Field(ge=0)


class TrialRecord(Frozen):
    """One configuration that was tried."""

    number: int = Field(ge=1)
    """Its place among those proposed."""
    model: str
    fields: dict[str, str]
    """The searched fields."""
    budget: int = Field(ge=1)
    """Training samples per replica up to which it was trained."""
    stopped: bool
    """Whether it was beaten before its budget was spent."""
    replicas: int
    solved: int
    diverged: int
    samples_to_target: Estimate
    """Median over its replicas."""
    samples: int = Field(ge=0)
    """Training samples spent, over all replicas."""
    flops: int = Field(ge=0)
    """Training FLOPs spent, over all replicas."""
    folder: str
    """Of its record, below the folder of the tuning."""


class FailedTrialRecord(Frozen):
    """One configuration that could not be trained, and is out of the search."""

    number: int = Field(ge=1)
    model: str
    fields: dict[str, str]
    reason: str


class SearchRecord(Frozen):
    """The trials of one model on one task."""

    task: str
    cell: int | None = Field(default=None, ge=1)
    space: str
    trials: tuple[TrialRecord, ...]
    ranking: tuple[int, ...]
    """Numbers of the trials, the best first."""
    edges: dict[str, Side]
    """Fields in which the best one lies at an edge of the search space."""
    failed: tuple[FailedTrialRecord, ...] = ()


class TuningRecord(Hashed):
    """A tuning: what was asked and, once all trials are done, what was found."""

    schema_version: Literal[1] = 1
    question: Question
    searches: tuple[SearchRecord, ...] = ()


def write_tuning(folder: Path, record: TuningRecord) -> None:
    """Write `tuning.json` in a folder that is there."""
    write_atomically(folder / TUNING_FILE, hashed_bytes(record))


def read_tuning(folder: Path) -> TuningRecord:
    """Read `tuning.json` in a folder; RecordError where it is missing or is not one."""
    path = folder / TUNING_FILE
    try:
        text = path.read_text(encoding="utf-8")
        record = TuningRecord.model_validate_json(text, strict=True)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"cannot read {path}: {error}") from None
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise RecordError(f"{path}: {where}: {message}; move it away and tune again") from None
    if was_changed(json.loads(text)):
        raise RecordError(f"{path} was changed after it was written; move it away and tune again")
    return record.model_copy(update={"content_hash": None})
