"""What a submission says of itself: `submission.json`, beside one record folder per cell."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from synthbench.records.schema import HASH, SuiteReference

SUBMISSION_FILE = "submission.json"
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Track = Literal["fixed-recipe", "tuned"]


def refuse_invisible(text: str) -> str:
    """Refuse what a terminal or a browser would obey instead of show."""
    for character in text:
        # Control, format (direction marks among them), surrogate, line and paragraph separators.
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise ValueError(f"must not contain the invisible character U+{ord(character):04X}")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or not text.strip():
        raise ValueError("must be one line that is not empty")
    return refuse_invisible(text)


Line = Annotated[str, Field(max_length=120), AfterValidator(_one_line)]
Link = Annotated[
    str, Field(max_length=300, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$")
]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Trial(_Part):
    """One configuration that was tried on one cell before the submitted one was chosen."""

    cell: int = Field(ge=1)
    """Number of the suite's cell."""
    model: str = Field(max_length=1000)
    first_seed: int = Field(ge=0)
    seeds: int = Field(ge=1)
    samples: int = Field(ge=0)
    """Training samples over all replicas."""
    flops: int = Field(ge=0)
    """Training FLOPs over all replicas."""


class Submission(_Part):
    """A submission's own words, its track and the hashes of its records."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=NAME, max_length=64)
    """Name of its folder."""
    title: Line
    authors: tuple[Line, ...] = Field(min_length=1, max_length=30)
    description: Annotated[str, Field(max_length=4000), AfterValidator(refuse_invisible)] = ""
    link: Link | None = None
    """Paper or code."""
    suite: SuiteReference
    track: Track
    trials: tuple[Trial, ...] = Field((), max_length=10_000)
    """Of the tuned track: everything that was tried; empty otherwise."""
    created: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """Date, UTC."""
    records: tuple[Annotated[str, Field(pattern=HASH)], ...] = Field(max_length=1000)
    """SHA-256 of each cell's `record.json`, in the order of the suite."""

    @model_validator(mode="after")
    def _trials_belong_to_the_tuned_track(self) -> Submission:
        if (self.track == "tuned") != bool(self.trials):
            raise ValueError("trials are for the tuned track, and it needs some")
        return self

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
