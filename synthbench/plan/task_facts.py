"""What a plan has to know about a task beyond its fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.contracts.interface import Interface, RealSequence, Tokens
from synthbench.contracts.model import Model
from synthbench.contracts.task import Task
from synthbench.contracts.test_set import TestSet
from synthbench.errors import ConfigurationError, InterfaceError, TaskError, explain
from synthbench.hashing import file_hash, tensor_hash

if TYPE_CHECKING:
    from torch import Tensor

SET_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


def own_train_rows(task: Task, seed: int) -> int | None:
    """Rows of a task's own training set in the world of a seed; None where it has none."""
    if type(task).train_set is Task.train_set:
        return None
    from synthbench.streams import Purpose, Stream

    try:
        found = task.train_set(task.world(Stream.from_seed(seed, Purpose.WORLD)))
    except Exception as error:
        raise TaskError(f'task "{task.label()}" fails in train_set: {explain(error)}') from error
    return None if found is None else int(found.x.shape[0])


def has_curriculum(task: Task) -> bool:
    """Whether its training samples depend on the step."""
    return type(task).sample_at is not Task.sample_at


def fits_references(task: Task) -> bool:
    """Whether references are fitted on its training set."""
    return type(task).fitted_references is not Task.fitted_references


def aggregates(task: Task) -> bool:
    """Whether what is reported of its scores is more than their means."""
    return type(task).aggregate is not Task.aggregate


def check_test_sets(task: Task, model: Model) -> None:
    """Raise TaskError for test sets that cannot be, InterfaceError for lengths a model refuses."""
    sets = task.test_sets()
    if not sets:
        raise TaskError(f'task "{task.label()}" has no test set; the default is that of sample')
    for place, (name, found) in enumerate(sets.items()):
        if not SET_NAME.fullmatch(name) and (place or name):
            raise TaskError(
                f'task "{task.label()}" calls a test set {name!r}; a name has lower-case words, '
                "numbers and hyphens"
            )
        if not isinstance(found, TestSet):
            raise TaskError(
                f'test set "{name}" of "{task.label()}" is a {type(found).__name__}; wrap it, as '
                "in TestSet(sample=...) or TestSet(whole=...)"
            )
        if (found.sample is None) == (found.whole is None):
            raise TaskError(
                f'test set "{name}" of "{task.label()}" needs either sample or whole, not '
                f"{'both' if found.sample is not None else 'none'}"
            )
    interfaces = {each.interface or task.interface for each in sets.values()} | {task.interface}
    for interface in interfaces:
        model.check_accepts(interface)
    shapes = {interface.input.shape for interface in interfaces}
    if len(shapes) > 1 and not model.takes_shorter:
        lengths = ", ".join(str(shape[0]) for shape in sorted(shapes))
        raise InterfaceError(
            f'model "{model.name}" takes sequences of one length, and "{task.label()}" has '
            f"{lengths}; take a model with takes_shorter, such as transformer"
        )


def longest_interface(task: Task) -> Interface:
    """The interface with the largest input among those of a task and its test sets."""
    interfaces = [
        each.interface for each in task.test_sets().values() if each.interface is not None
    ]
    return max([task.interface, *interfaces], key=lambda found: found.input.shape)


def set_lengths(task: Task) -> dict[str, int]:
    """Symbols in a sequence of each test set, the first by the name ""; none without sequences."""
    found: dict[str, int] = {}
    for place, (name, each) in enumerate(task.test_sets().items()):
        port = (each.interface or task.interface).input
        if isinstance(port, Tokens | RealSequence):
            found[name if place else ""] = port.length
    return found


def fixed_input_hashes(task: Task) -> dict[str, str]:
    """SHA-256 of every table and file that a task reads, by name.

    Raises ConfigurationError for a file that cannot be read.
    """
    return {name: _hash(task, name, value) for name, value in task.fixed_inputs().items()}


def _hash(task: Task, name: str, value: Path | Tensor) -> str:
    if not isinstance(value, Path):
        return tensor_hash([value])
    try:
        return file_hash(value)
    except OSError as error:
        raise ConfigurationError(
            f'task "{task.label()}" cannot read {name}, {value}: {error.strerror}'
        ) from None
