"""What a submission says of itself: `submission.json`, beside one record folder per cell."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from synthbench.contracts.frozen import Frozen
from synthbench.hashing import HASH
from synthbench.leaderboard.submissions.texts import LONGEST_TEXT, one_line, refuse_invisible
from synthbench.plan.suite_reference import SuiteReference

SUBMISSIONS = "submissions"
"""Folder of a suite's submissions."""
SUBMISSION_FILE = "submission.json"
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Track = Literal["fixed-recipe", "tuned"]
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10)),
}
"""Names that Windows keeps for itself: a folder called so cannot be checked out there."""
MOST = 10**24
"""Of anything counted, far more than can be spent."""


def _folder_name(text: str) -> str:
    if text in DEVICES:
        raise ValueError("must not be a name that Windows keeps for itself")
    return text


def _date(text: str) -> str:
    if not text.isascii() or date.fromisoformat(text).isoformat() != text:
        raise ValueError("must be a date such as 2026-01-31")
    return text


Line = Annotated[str, Field(max_length=120), AfterValidator(one_line)]
Name = Annotated[str, Field(pattern=NAME, max_length=64), AfterValidator(_folder_name)]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_date)]
Link = Annotated[
    str,
    Field(
        max_length=300,
        # The characters of RFC 3986: no quotes, no angle brackets.
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$",
    ),
]


class TuningTrial(Frozen):
    """One configuration that was tried on one cell before the submitted one was chosen."""

    cell: int = Field(ge=1)
    """Number of the suite's cell."""
    model: Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(one_line)]
    first_seed: int = Field(ge=0, le=MOST)
    seeds: int = Field(ge=1, le=MOST)
    samples: int = Field(ge=0, le=MOST)
    """Training samples over all replicas."""
    flops: int = Field(ge=0, le=MOST)
    """Training FLOPs over all replicas."""
    solved: int | None = Field(default=None, ge=0, le=MOST, exclude_if=lambda value: value is None)
    """Replicas that solved it, at the largest budget that was tried; null in older submissions."""
    samples_to_target: float | None = Field(
        default=None, gt=0, le=MOST, exclude_if=lambda value: value is None
    )
    """Kaplan-Meier median of those replicas; null beyond that budget."""


class Submission(Frozen):
    """A submission's own words, its track and the hashes of its records."""

    schema_version: Literal[1] = 1
    name: Name
    """Name of its folder."""
    title: Line
    authors: tuple[Line, ...] = Field(min_length=1, max_length=30)
    description: Annotated[str, Field(max_length=4000), AfterValidator(refuse_invisible)] = ""
    link: Link | None = None
    """Paper or code."""
    suite: SuiteReference
    track: Track
    trials: tuple[TuningTrial, ...] = Field(default=(), max_length=10_000)
    """Of the tuned track: everything that was tried; empty otherwise."""
    created: Date
    """Date, UTC."""
    records: tuple[Annotated[str, Field(pattern=HASH)], ...] = Field(max_length=1000)
    """SHA-256 of each cell's `record.json`, in the order of the suite."""

    @model_validator(mode="after")
    def _trials_belong_to_the_tuned_track(self) -> Submission:
        if (self.track == "tuned") != bool(self.trials):
            raise ValueError("trials are for the tuned track, and it needs some")
        return self

    @field_validator("schema_version", mode="before")
    @classmethod
    def _version_is_an_integer(cls, version: object) -> object:
        # To Python, true is 1.
        if type(version) is not int:
            raise ValueError("must be an integer")
        return version

    @field_validator("suite")
    @classmethod
    def _suite_has_a_name(cls, suite: SuiteReference) -> SuiteReference:
        if len(suite.name) > 64 or not re.fullmatch(NAME, suite.name):
            raise ValueError("name must be lower-case words joined by '-'")
        return suite

    @property
    def tuning_samples(self) -> int:
        """Training samples spent on trials."""
        return sum(trial.samples for trial in self.trials)

    @property
    def tuning_flops(self) -> int:
        """Training FLOPs spent on trials."""
        return sum(trial.flops for trial in self.trials)


def cell_folder(submission: Path, number: int) -> Path:
    """Where the record of a cell lies; numbers count from 1."""
    return submission / f"cell-{number:02d}"
