"""What tells finished cells apart: values of fields, and names made of those that vary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

from synthbench.errors import NothingToDrawError
from synthbench.plan.label import typed_label
from synthbench.plan.sources import SOURCES
from synthbench.results.defaults import left_out
from synthbench.results.fields import Value
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import Varying, own_name, varying

NAMES = {"task": "task.name", "model": "model.name"}
"""What one calls the names of a task and a model."""
NAMES_OF = {path: name for name, path in NAMES.items()}
OWNERS = {"task": "task.name", "model": "model.name", "recipe": "model.name"} | {
    source: source for source in SOURCES
}
"""Parts of a configuration -> the field from which others of that part may follow."""
EXTENT = ("protocol.budget", "protocol.seeds", "protocol.first_seed")
"""How much of a configuration was trained, which tells no configurations apart."""


@dataclass(frozen=True)
class Fields:
    """The fields of some cells, and which of them vary."""

    cells: Sequence[MeasuredCell]

    @cached_property
    def varying(self) -> Varying:
        """Which fields differ, and their columns."""
        return varying(self.cells)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The fields that differ; not those that follow from the name of a task or a model.

        Such as a family's default learning rate, unless a label names it; nor what the label of a
        teacher, or of what else a cell stands on, says itself.
        """
        return tuple(path for path in self.varying.paths if self._tells_apart(path))

    def _tells_apart(self, path: str) -> bool:
        """Whether a field says more than the name of the task or the model that has it."""
        part = path.partition(".")[0]
        owner = OWNERS.get(part)
        if owner is None or path == owner:
            return True
        values: dict[Value, set[Value]] = {}
        for cell in self.varying.cells:
            values.setdefault(cell.get(owner), set()).add(cell.get(path))
        if part in SOURCES:
            return any(len(each) > 1 for each in values.values())
        labels = {label for c in self.cells for label in (c.record.task, c.record.model)}
        named = any(f" {own_name(path)}=" in label for label in labels)
        return named or any(len(each) > 1 for each in values.values())

    def find(self, name: str) -> str:
        """The path of a field; raises ConfigurationError where there is none."""
        return NAMES[name] if name in NAMES else self.varying.find(name)

    def column(self, path: str) -> str:
        """What a field is called in tables and on axes: `n`, `model.width`, `model`."""
        return NAMES_OF.get(path, self.varying.columns[path])

    def word(self, path: str) -> str:
        """Its own name, as on an axis; its path where another field that varies is called so."""
        own = NAMES_OF.get(path, own_name(path))
        return own if [own_name(other) for other in self.paths].count(own) < 2 else path

    def values(self, path: str) -> list[Value]:
        """One field of every cell; None for those that do not have it."""
        return [cell.get(path) for cell in self.varying.cells]

    def rest(self, without: Collection[str]) -> list[tuple[Value, ...]]:
        """For each cell the values of all that varies, but for some fields."""
        paths = self._beside(without)
        return [tuple(cell.get(path) for path in paths) for cell in self.varying.cells]

    def _beside(self, without: Collection[str]) -> list[str]:
        """What tells cells apart beside some fields.

        Beside a field of a source, such as `mask.sparsity`, its other fields do, and not its
        label, which says that field too.
        """
        opened = {path.partition(".")[0] for path in without if "." in path}.intersection(SOURCES)
        return [
            path
            for path in self.varying.paths
            if path not in (*without, *opened)
            and (path in self.paths or path.partition(".")[0] in opened)
        ]

    @property
    def shared_model(self) -> str:
        """The name of the model where it is that of all, and their fields tell them apart."""
        names = {str(cell["model.name"]) for cell in self.varying.cells}
        return names.pop() if len(names) == 1 and self.paths else ""

    def names(self, without: Collection[str] = ()) -> list[str]:
        """For each cell what tells it from the others, its model's name first."""
        if len(self.cells) == 1:
            return [typed_label(self.cells[0].record.model)]
        return [
            f"{cell['model.name']} {words}".rstrip()
            for cell, words in zip(self.varying.cells, self.differences(without), strict=True)
        ]

    def differences(self, without: Collection[str] = ()) -> list[str]:
        """For each cell the fields that tell it from the others: `width=50 lr=0.1`."""
        paths = [path for path in self._beside(without) if path != "model.name"]
        return [
            " ".join(self.value_label(path, index) for path in paths if path in cell)
            for index, cell in enumerate(self.varying.cells)
        ]

    def short_names(self, without: Collection[str] = ()) -> list[str]:
        """The differences alone where the model's name is shared, else the names."""
        short, whole = self.differences(without), self.names(without)
        return short if self.shared_model and all(short) else whole

    def titles(self) -> list[str]:
        """For each cell what tells it from the others, its task on the first line."""
        names = self.names([path for path in self.paths if path.startswith("task.")])
        tasks = [typed_label(cell.record.task) for cell in self.cells]
        return [f"{task}\n{name}" for task, name in zip(tasks, names, strict=True)]

    def value_label(self, path: str, index: int) -> str:
        """One field of one cell as a label: `width=50`, of names the name alone.

        Of teachers, masks and starts that are one network at several moments, `teacher@500,last`.
        """
        value = self.values(path)[index]
        if value is None:
            value = left_out(path, self.varying.cells[index])
        if path in NAMES_OF:
            return str(value)
        if path in SOURCES and (moments := self._moments(path, value)):
            return f"{path}@{moments}"
        return f"{self.word(path)}={value_words(value)}"

    def _moments(self, path: str, value: Value) -> str:
        """What tells sources apart that are of one network: `1170,last`; nothing of others."""
        every = {str(each).rpartition("@") for each in self.values(path) if each is not None}
        of_one = len(every) > 1 and len({network for network, _, _ in every}) == 1
        return str(value).rpartition("@")[2] if of_one else ""


def value_words(value: Value) -> str:
    """A value as one types it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def in_order(values: Collection[Value]) -> list[Value]:
    """Distinct values: numbers ascending, then others as they come, None last."""
    distinct = list(dict.fromkeys(values))
    numbers = sorted((value for value in distinct if is_number(value)), key=float)
    words = [value for value in distinct if not is_number(value) and value is not None]
    return [*numbers, *words, *[value for value in distinct if value is None]]


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether it has a place on an axis of numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_varies(fields: Fields, path: str) -> None:
    """Raise NothingToDrawError for a field that is the same in all cells."""
    if path in fields.varying.paths:
        return
    names = ", ".join(fields.column(path) for path in fields.paths) or "none"
    raise NothingToDrawError(
        f'"{fields.column(path)}" is the same in all these results (fields that vary: {names})'
    )
