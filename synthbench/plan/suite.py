"""A suite file (TOML) names the cells that make one leaderboard."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from synthbench.contracts.frozen import Frozen
from synthbench.errors import ConfigurationError, first_mistake
from synthbench.hashing import HASH, content_hash
from synthbench.plan.name_pattern import NAME
from synthbench.plan.protocol import Protocol

Column = Literal["plateau", "width", "stages", "lead", "longest", "gap", "delay"]


class SuiteCell(Frozen):
    """One row of a suite: a task and what may be spent on it."""

    task: str
    budget: int = Field(ge=1)
    """Training samples per replica."""
    train_samples: int | None = Field(default=None, ge=1, exclude_if=lambda value: value is None)
    """Train on this many samples, reshuffled every epoch; default: on fresh ones."""
    score: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """The score that is ranked, such as accuracy@length-80; default: the task's first."""


class Suite(Frozen):
    """A named, versioned list of cells, how they are measured and what they are held against."""

    name: str = Field(pattern=f"^{NAME}$", max_length=64)
    version: int = Field(ge=1)
    """Goes up with every change of what `hash` covers."""
    title: str
    description: str
    lesson: str = ""
    """What is learnt from its leaderboard, in two sentences; default: what the numbers say."""
    seeds: int = Field(ge=1)
    """Replicas per cell; their seeds are 0, 1, ..."""
    evaluation_samples: int = Field(default=1024, ge=1)
    """Held-out samples per replica."""
    models: tuple[str, ...] = Field(min_length=1)
    """Trained when no model is named."""
    reference: str = ""
    """The model to which the leaderboard relates all times; default: the first of `models`."""
    reference_entry: str | None = Field(
        default=None, pattern=HASH, exclude_if=lambda value: value is None
    )
    """SHA-256 of the `submission.json` of the entry of that model to which times are related, so
    that no other entry can take its place; default: the one that is there."""
    probes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ("plateau", "width", "stages")
    """What the leaderboard shows of each cell beside the ranking."""
    lead: str | None = None
    """The probe value, such as weight-movement/l2, whose lead over the score is shown."""
    tuning_trials: int = Field(default=20, ge=1)
    """Configurations that a submission of the tuned track may have tried for each cell."""
    cells: tuple[SuiteCell, ...] = Field(min_length=1)

    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="before")
    @classmethod
    def _first_model_is_the_reference(cls, content: Any) -> Any:
        models = content.get("models") if isinstance(content, dict) else None
        if isinstance(models, list | tuple) and models:
            return {"reference": models[0], **content}
        return content

    @model_validator(mode="after")
    def _lead_is_measured(self) -> Suite:
        if ("lead" in self.columns) != (self.lead is not None):
            raise ValueError('the column "lead" and the field lead go together')
        if self.lead is not None and self.lead.partition("/")[0] not in {
            probe.strip().partition(" ")[0] for probe in self.probes
        }:
            raise ValueError(f"lead = {self.lead} must be a value of one of the suite's probes")
        return self

    @property
    def folder(self) -> Path:
        """Where the suite file lies; submissions that come with it are in `submissions/`."""
        return self._folder

    def hash(self) -> str:
        """SHA-256 of everything that decides the numbers: all fields but words and models.

        And but the reference entry, which itself holds this hash.
        """
        words = {"title", "description", "lesson", "models", "reference_entry"}
        return content_hash(self.model_dump(mode="json", exclude=words))


def read_suite(path: Path) -> Suite:
    """Read a suite file; ConfigurationError says what is wrong with it."""
    try:
        suite = Suite(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot read the suite file {path}: {error}") from None
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise ConfigurationError(": ".join(filter(None, (str(path), where, message)))) from None
    suite._folder = path.parent
    return suite


def suite_protocol(suite: Suite, changes: Mapping[str, Any] | None = None) -> Protocol:
    """How a suite measures, its budgets aside; with changes it is no longer the leaderboard's.

    Raises pydantic's ValidationError for a change that is not allowed.
    """
    own = {"seeds": suite.seeds, "evaluation_samples": suite.evaluation_samples}
    return Protocol(**{**own, **(changes or {})})


def cell_protocol(row: SuiteCell, shared: Protocol) -> Protocol:
    """How one row of a suite is measured: its own budget, training samples and ranked score.

    shared: of all rows; what it names goes before what the row says.
    """
    own = {"budget": row.budget, "train_samples": row.train_samples, "score": row.score}
    named = shared.model_fields_set
    wanted = {key: value for key, value in own.items() if key not in named and value is not None}
    return shared.model_copy(update=wanted)
