"""The kinds of things with a name that a plugin may provide."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from synthbench.contracts.frozen import Frozen
from synthbench.contracts.launcher import Launcher
from synthbench.contracts.measurement import Measurement
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.recipe import Optimizer
from synthbench.contracts.task import Task
from synthbench.listeners.tracker import Tracker
from synthbench.plan.name_pattern import NAME
from synthbench.plan.paper_study import PaperStudy, read_paper_study
from synthbench.plan.suite import Suite, read_suite

T = TypeVar("T", bound=Frozen)

NAME_PATTERN = re.compile(NAME)


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What a task is, or a suite: the word for it, and the contract that each of its kind keeps.

    read: of kinds that plugins provide as files, what reads one; plugins provide classes of others.
    """

    word: str
    contract: type[T]
    read: Callable[[Path], T] | None = None

    @property
    def plural(self) -> str:
        """`tasks`: what `synthbench list` takes."""
        return f"{self.word[:-1]}ies" if self.word.endswith("y") else f"{self.word}s"

    @property
    def is_file(self) -> bool:
        """Whether plugins provide these themselves, as files, and not their classes."""
        return self.read is not None

    @property
    def hook(self) -> str:
        """`register_tasks`: the hook that returns them."""
        return f"register_{self.plural}"


# A contract is abstract, and nothing makes an object of it.
TASK = Kind("task", Task)  # type: ignore[type-abstract]
MODEL = Kind("model", Model)  # type: ignore[type-abstract]
PROBE = Kind("probe", Probe)  # type: ignore[type-abstract]
OPTIMIZER = Kind("optimizer", Optimizer)  # type: ignore[type-abstract]
TRACKER = Kind("tracker", Tracker)  # type: ignore[type-abstract]
LAUNCHER = Kind("launcher", Launcher)  # type: ignore[type-abstract]
MEASUREMENT = Kind("measurement", Measurement)  # type: ignore[type-abstract]
SUITE = Kind("suite", Suite, read_suite)
STUDY = Kind("study", PaperStudy, read_paper_study)

KINDS: tuple[Kind[Any], ...] = (
    TASK, MODEL, PROBE, OPTIMIZER, TRACKER, LAUNCHER, MEASUREMENT, SUITE, STUDY,
)  # fmt: skip


def kind_of(config: type[Frozen]) -> Kind[Any]:
    """What a class is, or an abstract one of its kind; LookupError for what is of none."""
    found = next((kind for kind in KINDS if issubclass(config, kind.contract)), None)
    if found is None:
        raise LookupError(f"{config.__name__} is of no kind")
    return found
