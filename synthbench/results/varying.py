"""Which fields tell cells apart, and what their columns are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.errors import ConfigurationError, did_you_mean
from synthbench.plan.sources import SOURCES
from synthbench.results.fields import FieldValue, Value, fields_of
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.names import measured_names

SHORTENED = ("task", "model", "recipe", "protocol")
"""Parts whose fields go by their own names where no names meet."""


@dataclass(frozen=True)
class Varying:
    """The fields of some cells.

    paths: of the fields that differ between the cells, such as `task.n`, in the order of task,
    model, recipe, protocol and the rest. columns: path -> name of its column, for every field
    that any cell has. cells: path -> value, for each cell; a path that is not there is a field
    that the cell does not have.
    """

    paths: tuple[str, ...]
    columns: Mapping[str, str]
    cells: tuple[Mapping[str, Value], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the fields that differ."""
        return tuple(self.columns[path] for path in self.paths)

    def find(self, name: str) -> str:
        """The path of a field that is called by its path, its column or its own name.

        Where fields meet in a name, that of which one alone differs is meant. A recipe's field
        may be called `model.lr` too, as a reference writes it beside the model's. Raises
        ConfigurationError when there is none, or the name may mean several.
        """
        meant = self._meant_by(name)
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise ConfigurationError(f'"{name}" may be {" or ".join(meant)}; write one of them')
        known = [*self.columns, *map(own_name, self.columns)]
        differing = ", ".join(self.names) or "none"
        raise ConfigurationError(
            f'no field "{name}"{did_you_mean(name, known)} (fields that vary: {differing})'
        )

    def has(self, name: str) -> bool:
        """Whether any field is called so."""
        return bool(self._meant_by(name))

    def _meant_by(self, name: str) -> list[str]:
        """The paths that a name may mean."""
        if name in self.columns:
            return [name]
        part, _, rest = name.partition(".")
        if part == "model" and f"recipe.{rest}" in self.columns:
            return [f"recipe.{rest}"]
        # One that differs is meant rather than one that is the same everywhere.
        meant = [path for path in self.columns if own_name(path) == name]
        return [path for path in meant if path in self.paths] or meant

    def values(self, name: str) -> list[Value]:
        """The field of every cell, None for those that do not have it; named as in `find`."""
        path = self.find(name)
        return [cell.get(path) for cell in self.cells]

    def of(self, index: int) -> dict[str, Value]:
        """What one cell is among the others: column -> value, of the fields that differ."""
        return {self.columns[path]: self.cells[index].get(path) for path in self.paths}


def varying(cells: Sequence[MeasuredCell]) -> Varying:
    """The fields in which cells differ, defaults included, by the plans of their records.

    A field that not all of them have, as the heads of a transformer beside an MLP, counts where
    those that have it differ. Of what a cell stands on a field counts only where it is not that
    of the cell itself. Where two cells have the same plan the folder tells them apart.

    A column has the field's own name (`n`, `lr`, `optimizer.momentum`), or its path (`task.n`,
    `recipe.loss`) where that is the name of two fields, or of a column that is measured.
    """
    found = [fields_of(cell.record) for cell in cells]
    hashes = {cell.record.plan_hash for cell in cells}
    if len(hashes) < len(cells):
        for cell, fields in zip(cells, found, strict=True):
            fields["folder"] = FieldValue(str(cell.folder), "")
    paths = _in_order(found)
    for path in paths:
        owners = {fields[path].owner for fields in found if path in fields} - {""}
        for fields in found:
            if path not in fields and (owner := _owner(fields, owners)) is not None:
                fields[path] = FieldValue(None, owner)
    return Varying(
        tuple(path for path in paths if _varies(path, found)),
        _columns(paths, measured_names([cell.record for cell in cells])),
        tuple({path: field.value for path, field in fields.items()} for fields in found),
    )


def _in_order(found: Sequence[Mapping[str, FieldValue]]) -> list[str]:
    """All paths: parts in the order of a plan, fields as the first cell that has them."""
    every = list(dict.fromkeys(path for fields in found for path in fields))
    parts = [*SHORTENED, "probes", "probe", *SOURCES]
    place = {part: index for index, part in enumerate(parts)}
    return sorted(every, key=lambda path: place.get(path.split(".")[0], len(parts)))


def _varies(path: str, found: Sequence[Mapping[str, FieldValue]]) -> bool:
    having = [fields for fields in found if path in fields]
    values = {_key(fields[path].value) for fields in having}
    if len(having) < len(found) and any(not fields[path].owner for fields in having):
        values.add(_key(None))
    return len(values) > 1 and not _repeats_own(path, having)


def _owner(fields: Mapping[str, FieldValue], owners: set[str]) -> str | None:
    """That of some owners which a cell has; a field of theirs that it lacks is None."""
    return next((field.owner for field in fields.values() if field.owner in owners), None)


def _repeats_own(path: str, having: Sequence[Mapping[str, FieldValue]]) -> bool:
    """Whether a field of what cells stand on is that of the cells themselves."""
    part, _, rest = path.partition(".")
    return part in SOURCES and all(
        rest in fields and fields[rest].value == fields[path].value for fields in having
    )


def _key(value: Value) -> tuple[bool, Value]:
    """True and 1 are not the same."""
    return isinstance(value, bool), value


def own_name(path: str) -> str:
    """A field without the part that it is of: `width`, `optimizer.momentum`."""
    part, _, rest = path.partition(".")
    return rest if part in SHORTENED and rest else path


def _columns(paths: Sequence[str], taken: set[str]) -> dict[str, str]:
    uses = Counter(map(own_name, paths))
    unusable = taken | set(paths)
    return {
        path: own if uses[own := own_name(path)] == 1 and own not in unusable else path
        for path in paths
    }
