"""The cells of a grid: every task with every model under every protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from synthbench.contracts.configuration import Configuration
from synthbench.errors import ConfigurationError, SynthbenchError
from synthbench.evaluation.planning import resolve_model, resolve_task
from synthbench.plan.cell import Cell
from synthbench.plan.suite import Suite
from synthbench.registry.kinds import MODEL, TASK, Kind
from synthbench.registry.registry import installed

C = TypeVar("C", bound=Configuration)
MOST_POINTS = 100_000
"""Configurations of one reference that anybody can mean."""
RESOLVERS: dict[Kind[Any], Callable[[object], Any]] = {TASK: resolve_task, MODEL: resolve_model}


@dataclass(frozen=True)
class StudyPlan:
    """What a study comes to before anything is trained.

    cells: each once. suite: that of the cells, if they are of one. factors: how many there are of
    what, as in `{"task": 2, "model": 21}`. varied: the fields that take several values.
    """

    cells: tuple[Cell, ...]
    suite: Suite | None
    factors: Mapping[str, int]
    varied: tuple[str, ...]

    def summary(self) -> str:
        """`2 tasks x 21 models = 42 cells, 1,344 replicas; varied: n, width`."""
        product, replicas = 1, sum(cell.protocol.seeds for cell in self.cells)
        for number in self.factors.values():
            product *= number
        counts = " x ".join(_counted(number, word) for word, number in self.factors.items())
        different = len(self.cells)
        cells = _counted(product, "cell")
        cells += f" ({different:,} of them different)" if different < product else ""
        varied = f"; varied: {', '.join(self.varied)}" if self.varied else ""
        return f"{counts} = {cells}, {_counted(replicas, 'replica')}{varied}"


def spanned(kind: Kind[C], given: object) -> list[C]:
    """The objects of a reference whose fields may take several values; of an object, itself.

    Where some points are not allowed, the ConfigurationError says how many, and why the first.
    """
    if not isinstance(given, str):
        return [RESOLVERS[kind](given)]
    space = installed().space(kind, given)
    if space.count > MOST_POINTS:
        raise ConfigurationError(
            f"'{given}' has {space.count:,} configurations; ask for {MOST_POINTS:,} or fewer"
        )
    points = space.points()
    found: list[C] = []
    refused: list[tuple[str, SynthbenchError]] = []
    for point in points:
        try:
            found.append(installed().get(kind, point))
        except SynthbenchError as error:
            refused.append((point, error))
    if not refused:
        return found
    point, first = refused[0]
    if not found:
        raise first
    raise ConfigurationError(
        f"{len(refused)} of the {len(points)} {kind.plural} of '{given}' are not allowed; of "
        f"'{point}': {first}. Leave them out: name several {kind.plural}, each with its lists"
    )


def varied_fields(
    tasks: Sequence[object], models: Sequence[object], protocol: Sequence[str]
) -> tuple[str, ...]:
    """The fields that take several values, with a prefix where names meet: `task.n`.

    protocol: those of the protocol.
    """
    names = {"task": _varied(TASK, tasks), "model": _varied(MODEL, models), "protocol": protocol}
    every = [name for own in names.values() for name in own]
    return tuple(
        f"{kind}.{name}" if every.count(name) > 1 else name
        for kind, own in names.items()
        for name in own
    )


def _varied(kind: Kind[Any], given: Sequence[object]) -> list[str]:
    references = [each for each in given if isinstance(each, str)]
    spaces = [installed().space(kind, reference) for reference in references]
    return list(dict.fromkeys(name for space in spaces for name in space.varied))


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
