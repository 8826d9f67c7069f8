"""From what people name as a teacher, a start or a mask to the cell that is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError
from synthbench.evaluation.planning import resolve_model
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.sources import LAST, At, Mask, Teacher, Weights
from synthbench.records import Record
from synthbench.records.reading import RECORD_FILE
from synthbench.registry.bare_model import Builder
from synthbench.registry.kinds import MODEL, PROBE, TASK
from synthbench.registry.participants import uninstalled
from synthbench.registry.registry import installed
from synthbench.results.lying import read_cells
from synthbench.results.results import CellResult, each_once

Named: TypeAlias = "Cell | CellResult | Model | Builder | str"
"""A cell, a finished one, its folder, or a model trained on the same task with the same seeds."""
S = TypeVar("S", Weights[Any], Mask[Any], Teacher[Any])
NOBODY = "none"
"""As a teacher: the model is trained on the labels, beside others that are taught."""
MOMENTS = re.compile(r"(\d+|last)(,(\d+|last))*")


class StandsOn(NamedTuple):
    """What cells stand on, as people name it."""

    teacher: Teacher[Any] | CellResult | str | None = None
    start: Weights[Any] | CellResult | str | None = None
    mask: Mask[Any] | None = None


def stand(cell: Cell, on: StandsOn) -> Cell:
    """The cell with its sources; ConfigurationError for what names none."""
    return replace(
        cell,
        teacher=None if on.teacher in (None, NOBODY) else _resolved(_as_teacher(on.teacher), cell),
        start=None if on.start is None else _resolved(_as_start(on.start), cell),
        mask=None if on.mask is None else _resolved(_as_mask(on.mask), cell),
    )


def split_moments(text: str) -> tuple[str, tuple[At, ...]]:
    """`mlp width=200@500,last` -> the reference and its moments; without any, the last."""
    reference, sign, moments = text.rpartition("@")
    if not (sign and MOMENTS.fullmatch(moments)):
        return text, (LAST,)
    return reference, tuple(LAST if m == LAST else int(m) for m in moments.split(","))


def split_moment(text: str, kind: str) -> tuple[str, At]:
    """The same for a start or a mask, which take one moment."""
    reference, moments = split_moments(text)
    if len(moments) > 1:
        raise ConfigurationError(f"{kind} takes one step or last, got {len(moments)} in {text!r}")
    return reference, moments[0]


def _as_teacher(given: Teacher[Any] | CellResult | str) -> Teacher[Any]:
    if isinstance(given, str):
        return Teacher(*split_moments(given))
    return _checked(Teacher(given) if isinstance(given, CellResult) else given, Teacher, "teacher")


def _as_start(given: Weights[Any] | CellResult | str) -> Weights[Any]:
    if isinstance(given, str):
        return Weights(*split_moment(given, "start"))
    return _checked(Weights(given) if isinstance(given, CellResult) else given, Weights, "start")


def _as_mask(given: Mask[Any]) -> Mask[Any]:
    return _checked(given, Mask, "mask")


def _checked(given: Any, kind: type[S], name: str) -> S:
    if isinstance(given, kind):
        return given
    raise ConfigurationError(
        f"{name} must be a synthbench.{kind.__name__}, such as {kind.__name__}(result); "
        f"got {given!r}"
    )


def _resolved(source: S, cell: Cell) -> S:
    """The source with a cell in it, and the folder of a finished one."""
    named: Named = source.cell
    if isinstance(named, Cell):
        return source
    if isinstance(named, str) and Path(named).is_dir():
        named = _read(Path(named))
    if isinstance(named, CellResult):
        own = named.cell or rebuilt_cell(named.record)
        return replace(source, cell=own, folder=named.folder)
    protocol = cell.protocol.model_copy(update={"until": "budget"})
    return replace(source, cell=Cell(cell.task, resolve_model(named), protocol))


def _read(folder: Path) -> CellResult:
    found = each_once(read_cells(folder))
    if len(found) > 1:
        raise ConfigurationError(
            f"{folder} holds {len(found)} finished cells; name the folder of one "
            f"(the one in which {RECORD_FILE} lies)"
        )
    return found[0]


def rebuilt_cell(record: Record) -> Cell:
    """The cell of a record, from the installed plugins.

    Raises ConfigurationError where its classes are no plugin's, or have changed since.
    """
    own = uninstalled(TASK, record.task_plan) or uninstalled(MODEL, record.model_plan)
    if own is not None:
        raise ConfigurationError(
            f'"{own}" is not from an installed plugin, so the record does not say how to build it; '
            "name the result of evaluate in the session that trained it"
        )
    cell = _rebuilt(record.plan)
    if cell.plan_hash() != record.plan_hash:
        raise ConfigurationError(
            f'"{record.model}" on "{record.task}" was planned by another release; train it again'
        )
    return cell


def _rebuilt(plan: Mapping[str, Any]) -> Cell:
    registry = installed()
    cell = Cell(
        registry.rebuild(TASK, plan["task"]),
        registry.rebuild(MODEL, plan["model"]),
        Protocol(**plan["protocol"]),
        tuple(registry.rebuild(PROBE, probe) for probe in plan["probes"]),
    )
    kinds: dict[str, Any] = {"teacher": Teacher, "start": Weights, "mask": Mask}
    given = {name: _source(kinds[name], plan[name]) for name in kinds if name in plan}
    return replace(cell, **given)


def _source(kind: Any, plan: Mapping[str, Any]) -> Any:
    fields = {**plan, "cell": _rebuilt(plan["cell"])}
    fields["at"] = tuple(plan["at"]) if isinstance(plan["at"], list) else plan["at"]
    return kind(**fields)
