"""Every field of a finished cell's configuration, by its path: `task.n`, `recipe.lr`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from synthbench.plan.label import label_words
from synthbench.plan.sources import SOURCES
from synthbench.records.schema import Record
from synthbench.registry.bare_model import is_bare

Value: TypeAlias = bool | int | float | str | None
"""What a field is; a list is written as references write it: `[10,20]`."""

CODE_DIGITS = 8
"""Of a module's fingerprint, as in its label."""


class FieldValue(NamedTuple):
    """One field of one cell.

    owner: what has the field, such as `model mlp`; others with that owner that lack it, since
    they are older or leave out what is at its default, have None.
    """

    value: Value
    owner: str


def fields_of(record: Record) -> dict[str, FieldValue]:
    """All fields by their paths, those at their defaults too.

    Of the task (`task.n`), the model (`model.width`), its recipe (`recipe.lr`,
    `recipe.optimizer`, `recipe.optimizer.momentum`), the protocol (`protocol.budget`), probes
    (`probes`, `probe.NAME.field`), what the cell stands on (`start`, `start.at`,
    `start.model.width`) and the suite (`suite`, `suite.version`).
    """
    found = dict(plan_fields(record.plan))
    labels = dict(word.split("=", 1) for word in label_words(record.model) if "=" in word)
    for name in SOURCES:
        if name in found and name in labels:
            found[name] = FieldValue(labels[name], "")
    if record.suite is not None:
        found["suite"] = FieldValue(record.suite.name, "")
        found["suite.version"] = FieldValue(record.suite.version, f"suite {record.suite.name}")
    return found


def plan_fields(plan: Mapping[str, Any]) -> Iterator[tuple[str, FieldValue]]:
    """Paths and values of a plan, as records hold it."""
    task, model = dict(plan["task"]), dict(plan["model"])
    recipe = model.pop("recipe")
    if is_bare(model):
        settled = model.pop("arguments")
        model = {**settled, **model, "code": model["code"][:CODE_DIGITS]}
    yield from _flat("task", task, f"task {task['name']}")
    yield from _flat("model", model, f"model {model['name']}")
    yield from _flat("recipe", recipe, "recipe")
    yield from _flat("protocol", plan["protocol"], "protocol")
    names = [probe["name"] for probe in plan["probes"]]
    yield "probes", FieldValue(",".join(names) or None, "")
    for probe in plan["probes"]:
        rest = {key: value for key, value in probe.items() if key != "name"}
        yield from _flat(f"probe.{probe['name']}", rest, f"probe {probe['name']}")
    for name, part in plan.items():
        if name in SOURCES:
            yield from _source_fields(name, part)
        elif name not in ("task", "model", "protocol", "probes"):
            # Such as another ceiling than the optimum, which most plans do without.
            yield name, FieldValue(as_value(part), "")


def _source_fields(name: str, source: Mapping[str, Any]) -> Iterator[tuple[str, FieldValue]]:
    own = {key: value for key, value in source.items() if key != "cell"}
    # Its label, where that is at hand, says more.
    yield name, FieldValue("yes", "")
    yield from _flat(name, own, name)
    for path, (value, owner) in plan_fields(source["cell"]):
        yield f"{name}.{path}", FieldValue(value, f"{name}.{owner}")


def _flat(path: str, part: Mapping[str, Any], owner: str) -> Iterator[tuple[str, FieldValue]]:
    """The fields of a part; of a named one within it the name, then its own fields."""
    for key, value in part.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping) and "name" in value:
            rest = {name: each for name, each in value.items() if name != "name"}
            yield here, FieldValue(value["name"], owner)
            yield from _flat(here, rest, f"{here} {value['name']}")
        else:
            yield here, FieldValue(as_value(value), owner)


def as_value(value: object) -> Value:
    """A field's JSON value; of a list or a mapping its compact text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, separators=(",", ":"))
