"""A suite file (TOML) names the cells that make one leaderboard."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synthbench.errors import ConfigurationError


class SuiteCell(BaseModel):
    """One row of a suite: a task and what may be spent on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    budget: int = Field(ge=1)
    """Training samples per replica."""


class Suite(BaseModel):
    """A named, versioned list of cells with the models that are compared by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
    version: int = Field(ge=1)
    title: str
    description: str
    seeds: int = Field(ge=1)
    """Replicas per cell."""
    models: tuple[str, ...] = Field(min_length=1)
    probes: tuple[str, ...] = ()
    cells: tuple[SuiteCell, ...] = Field(min_length=1)


def read_suite(path: Path) -> Suite:
    """Read a suite file; ConfigurationError says what is wrong with it."""
    try:
        return Suite(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot read the suite file {path}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {location}: {first['msg']}") from None
