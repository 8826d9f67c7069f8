"""The columns that results of a grid will have, as far as they are known before it is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from synthbench.claims.calls import Level
from synthbench.claims.named_columns import NamedColumn
from synthbench.claims.replicas import PLACE, SEEDS, as_written, of_evaluations
from synthbench.claims.sample import SHOWN
from synthbench.engine.inspection.task import score_names
from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean
from synthbench.metrics.reserved_columns import TAKEN
from synthbench.metrics.score_names import base_name, scored_on, set_name
from synthbench.metrics.transitions import TRANSITIONS
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.running import AnyGrid
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.plan.sources import SOURCES
from synthbench.results.cell_fields import NAMES, value_words
from synthbench.results.fields import Value, plan_fields
from synthbench.results.table.condition import columns_of, matching
from synthbench.results.table.names import COUNTS, HIGH, LOW, QUANTITIES, RANDOM_SEARCH, SIZES
from synthbench.results.table.names import REPLICA as TOLD
from synthbench.results.table.selection import MEASURED
from synthbench.results.varying import own_name

OWN = (
    *TOLD, *(f"{SEEDS}{stream.name}" for stream in fields(ReplicaSeeds)), "samples_to_target",
    "regret", *(each.name for each in TRANSITIONS), "final_score",
)  # fmt: skip
"""Measured of a replica, by names that no field's column has."""
REPLICA = (*OWN, "budget")
"""What `Results.table(per="replica")` has beside fields."""
CONFIGURATION = (
    *COUNTS, "budget", *SIZES, *RANDOM_SEARCH,
    *(each.name + end for group in QUANTITIES for each in group for end in ("", LOW, HIGH)),
)  # fmt: skip
"""Measured of a configuration, beside what its probes lead by."""
FIELDS = (*NAMES, "suite", "suite.version", "folder")
"""What a row is called by, beside the fields of its plan."""


def expected_columns(grids: Mapping[str, AnyGrid]) -> dict[str, ExpectedColumns]:
    """Of every grid that is trained, by its name: columns of measurements are not known before."""
    return {
        name: ExpectedColumns(grid.cells)
        for name, grid in grids.items()
        if not isinstance(grid, MeasuredGrid)
    }


@dataclass(frozen=True)
class ExpectedColumns:
    """Those of the results of some cells, of which at least one has to have a column.

    Which numbers a probe measures is known when it has looked at a network: of what has the name
    of a probe before a slash nothing more is asked. Of a task that fails nothing is asked either:
    why it does is said where cells are checked.
    """

    cells: Sequence[Cell]

    def check(self, column: NamedColumn) -> None:
        """Raise UnknownNameError for a column that no replica, or evaluation, will have.

        ConfigurationError for one of evaluations where one of replicas has to stand, and for a
        name that a field which varies has as well as what is measured.
        """
        name = column.name
        if name in OWN and (meant := self._varied(name)):
            choices = " or ".join([*meant, MEASURED + name])
            raise ConfigurationError(f'"{name}" may be {choices}; write one of them')
        if name in self._names or name.removeprefix(MEASURED) in REPLICA:
            return
        if self._is_of_evaluations(name):
            if column.level is Level.EVALUATION:
                return
            raise ConfigurationError(of_evaluations(name))
        if column.level is Level.EVALUATION and not self._scores:
            return
        raise UnknownNameError(self._unknown(name, column.level))

    def check_condition(self, condition: str) -> None:
        """Raise ConfigurationError for a condition on fields that no cell meets.

        Of one that asks for more than fields nothing is known yet.
        """
        try:
            names = columns_of(condition)
        except ConfigurationError:
            # A condition of a claim may have functions of a replica.
            return
        paths = {name: self._path(name) for name in names}
        if None in paths.values():
            return
        rows = [{name: plan.get(str(path)) for name, path in paths.items()} for plan in self._plans]
        if not any(matching(rows, condition, lambda name: name)):
            told = "; ".join(f"{name} is {self._values(str(p))}" for name, p in paths.items())
            raise ConfigurationError(f"no cell of the grid meets {condition} ({told})")

    def check_varies(self, name: str) -> None:
        """Raise ConfigurationError for a field over which nothing can be fitted."""
        path = self._path(name)
        if path is None:
            return
        values = {plan[path] for plan in self._plans if plan.get(path) is not None}
        if any(isinstance(value, str) for value in values):
            raise ConfigurationError(f'"{name}" is a text, not a number')
        if len(values) < 2:
            only = self._values(path)
            raise ConfigurationError(f'"{name}" is {only} in every cell: a trend needs two values')

    def check_of_configuration(self, name: str) -> None:
        """Raise UnknownNameError for a column that no row of the configurations will have."""
        if name not in self._names:
            self._check_measured(name.removeprefix(MEASURED), "column", list(self._names))

    def check_number(self, name: str) -> None:
        """Raise UnknownNameError for a number that is measured of no configuration."""
        self._check_measured(name, "number", [])

    def check_field(self, name: str) -> None:
        """Raise UnknownNameError for a field that no configuration has, whatever it is called."""
        if name not in self._names:
            raise UnknownNameError(f'no field "{name}"{did_you_mean(name, self._names)}')

    def check_score(self, name: str) -> None:
        """Raise UnknownNameError for a score that some task has not, and what a task raises."""
        for known in self._by_task.values():
            if name not in known:
                raise UnknownNameError(
                    f'no score "{name}"{did_you_mean(name, known)} (scores: {", ".join(known)})'
                )

    def _check_measured(self, name: str, what: str, beside: Sequence[str]) -> None:
        if name not in CONFIGURATION and not self._is_of_a_probe(name):
            guess = did_you_mean(name, [*CONFIGURATION, *beside])
            told = ", ".join(one for one in CONFIGURATION if not one.endswith((LOW, HIGH)))
            raise UnknownNameError(f'no {what} "{name}"{guess} (numbers: {told})')

    def _unknown(self, name: str, level: Level) -> str:
        known: Iterable[str] = REPLICA
        if level is Level.EVALUATION:
            known = dict.fromkeys([*self._scores, *sorted(TAKEN), *REPLICA])
        known = list(map(as_written, known))
        guess = did_you_mean(name, [*known, *map(as_written, self._scores), *self._names])
        if "/" in name and not guess:
            guess = f"; the grid's probes are {', '.join(sorted(self._probes)) or 'none'}"
        told = ", ".join(each for each in known if not each.startswith(SEEDS))
        return f'no column "{name}"{guess} (fields of the grid, and: {told})'

    @cached_property
    def _plans(self) -> list[dict[str, Value]]:
        return [{path: field.value for path, field in plan_fields(c.plan())} for c in self.cells]

    @cached_property
    def _names(self) -> dict[str, None]:
        """Every name of a field: its path, its own, and a recipe's as one of the model."""
        paths = dict.fromkeys(path for plan in self._plans for path in plan)
        of_model = [f"model.{own_name(path)}" for path in paths if path.startswith("recipe.")]
        return dict.fromkeys([*map(own_name, paths), *paths, *of_model, *FIELDS])

    def _path(self, name: str) -> str | None:
        """The field that a name means; None where it is none alone, or may be no field."""
        paths = list(dict.fromkeys(path for plan in self._plans for path in plan))
        # What a cell stands on is called by a label, which plans do not have.
        if name in (*FIELDS, *OWN, *SOURCES):
            return None
        if name in paths:
            return name
        part, _, rest = name.partition(".")
        if part == "model" and f"recipe.{rest}" in paths:
            return f"recipe.{rest}"
        meant = [path for path in paths if own_name(path) == name]
        return meant[0] if len(meant) == 1 else None

    def _values(self, path: str) -> str:
        every = dict.fromkeys(value_words(plan.get(path)) for plan in self._plans)
        return ", ".join(list(every)[:SHOWN]) + (", ..." if len(every) > SHOWN else "")

    def _varied(self, name: str) -> list[str]:
        """Fields called so in which the cells that have them differ."""
        paths = dict.fromkeys(path for plan in self._plans for path in plan)
        same = [path for path in paths if path.partition(".")[2] == name]
        return [p for p in same if len({str(plan[p]) for plan in self._plans if p in plan}) > 1]

    def _is_of_evaluations(self, name: str) -> bool:
        place = PLACE.fullmatch(name)
        bare = place[1] if place else name
        return bare in TAKEN or self._is_of_a_probe(bare) or bare in self._scores

    def _is_of_a_probe(self, name: str) -> bool:
        probe, slash, _ = name.partition("/")
        return bool(slash) and probe in self._probes

    @cached_property
    def _probes(self) -> set[str]:
        names = (str(plan["probes"]).split(",") for plan in self._plans if plan["probes"])
        return {name for each in names for name in each}

    @cached_property
    def _scores(self) -> list[str]:
        """On every test set, with its loss and progress; and on what was trained on.

        Empty where a task fails.
        """
        try:
            return list(dict.fromkeys(self._scored()))
        except Exception:
            return []

    @cached_property
    def _by_task(self) -> dict[str, list[str]]:
        """What is scored, by the task's label."""
        cells = {cell.task.label(): cell for cell in self.cells}
        return {label: score_names(cell) for label, cell in cells.items()}

    def _scored(self) -> Iterator[str]:
        for names in self._by_task.values():
            yield from names
            yield from (f"train_{name}" for name in dict.fromkeys(map(base_name, names)))
            for own in dict.fromkeys(map(set_name, names)):
                yield from (scored_on("loss", own), scored_on("progress", own))
