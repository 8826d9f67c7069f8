"""The one model that others are compared with, named as one types it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthbench.errors import UnknownNameError, did_you_mean
from synthbench.plan.field_values import field_value
from synthbench.registry.reference import not_a_field, split_reference
from synthbench.results.fields import Value, as_value, fields_of
from synthbench.results.measured_cell import MeasuredCell


def baseline_cells(cells: Sequence[MeasuredCell], reference: str) -> list[MeasuredCell]:
    """The cells of a model: `mlp`, or `mlp lr=0.1` where fields have to choose among several.

    Fields are the model's or its recipe's, those at their defaults too. A reference that is a
    cell's whole label means no other. Raises UnknownNameError when there is no such cell,
    ConfigurationError for what is no reference.
    """
    whole = [cell for cell in cells if cell.record.model == reference.strip()]
    if whole:
        return whole
    name, preset, tokens = split_reference(reference)
    if preset is not None:
        raise not_a_field(reference, preset)
    wanted = {key: as_value(field_value(text)) for key, text in tokens.items()}
    chosen = [cell for cell in cells if _is_so(cell, name, wanted)]
    if not chosen:
        labels = list(dict.fromkeys(cell.record.model for cell in cells))
        raise UnknownNameError(
            f'no model "{reference}" among these results{did_you_mean(reference, labels)} '
            f"(models: {', '.join(labels)})"
        )
    return chosen


def _is_so(cell: MeasuredCell, name: str, wanted: Mapping[str, Value]) -> bool:
    fields = fields_of(cell.record)
    return fields["model.name"].value == name and all(
        any(
            path in fields and fields[path].value == value
            for path in (f"model.{key}", f"recipe.{key}", key)
        )
        for key, value in wanted.items()
    )
