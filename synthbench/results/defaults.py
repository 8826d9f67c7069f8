"""What a field is that a plan leaves out where it is at its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthbench.results.fields import Value, as_value


def left_out(path: str, cell: Mapping[str, Value]) -> Value:
    """The default of a task's or a model's own field; None where it is not known.

    path: such as `model.tied`. cell: all fields of one configuration. Plans leave out what was
    added to a class later, so that what was trained before is the same configuration.
    """
    # Only who draws several configurations asks.
    from synthbench.errors import UnknownNameError
    from synthbench.registry.kinds import MODEL, TASK, Kind
    from synthbench.registry.registry import installed

    part, _, field = path.partition(".")
    kinds: dict[str, Kind[Any]] = {"task": TASK, "model": MODEL}
    if part not in kinds:
        return None
    try:
        found = installed().find(kinds[part], str(cell[f"{part}.name"])).model_fields.get(field)
    except (KeyError, UnknownNameError):
        return None
    default = None if found is None else found.get_default(call_default_factory=True)
    return as_value(default) if isinstance(default, bool | int | float | str) else None
