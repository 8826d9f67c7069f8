"""What rows of a table are called: by what they do not share, defaults included."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from synthbench.metrics.formatting import format_count
from synthbench.plan.label import label_words, typed_label
from synthbench.plan.sources import SOURCES
from synthbench.results.fields import Value
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import SHORTENED, Varying, varying

NAMES = ("task.name", "model.name")
"""Fields that the labels themselves say."""
OF_MODELS = ("model", "recipe", *SOURCES)
ABSENT = "-"
FEWEST_DIGITS = 4
LARGE = 10_000
"""From here on counts have prefixes, where these do not hide a digit."""


@dataclass(frozen=True)
class RowLabels:
    """Texts that tell the rows of a table apart.

    common: what all rows are, with the fields that do not differ: `sparse-parity k=3`, or where
    fields alone tell them apart, or there is one row, `mlp optimizer=adam on sparse-parity k=3`.
    headings: of the columns on the left: `task` and `model` where labels differ, then fields; none
    of a single row, unless the model has a column `always`. numeric: whether such a column holds
    numbers. rows: the texts below the headings. paths: of the fields.
    """

    common: str
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    paths: tuple[str, ...]


def row_labels(cells: Sequence[MeasuredCell], *, always: bool = False) -> RowLabels:
    """The labels of cells in one table; always: of a single row, too, the model has a column.

    A field that differs has a column, and is then no word of the labels. A field of the model
    or its recipe that follows from the model's name, such as a family's default learning rate,
    has none unless a label names it.
    """
    found = varying(cells)
    labels = [_words(cell.record.model) for cell in cells]
    paths = [path for path in found.paths if path not in NAMES and _shown(path, found, labels)]
    tasks = [_without(_words(cell.record.task), ("task",), paths) for cell in cells]
    models = [_without(words, OF_MODELS, paths) for words in labels]
    columns: list[tuple[str, list[Value]]] = []
    common = _common(tasks)
    if common is None:
        columns.append(("task", [" ".join(words) for words in tasks]))
    shared = _common(models) if paths or (len(cells) == 1 and not always) else None
    if shared is None:
        columns.append(("model", [" ".join(words) for words in models]))
    else:
        common = " on ".join(filter(None, (shared, common)))
    columns += [
        (heading, [cell.get(path, ABSENT) for cell in found.cells])
        for path, heading in zip(paths, _headings(paths), strict=True)
    ]
    texts = [value_texts(values) for _, values in columns]
    return RowLabels(
        common or "",
        tuple(heading for heading, _ in columns),
        tuple(_is_numeric(values) for _, values in columns),
        tuple(zip(*texts, strict=True)),
        tuple(paths),
    )


def model_names(cells: Sequence[MeasuredCell]) -> list[str]:
    """The models' labels, with what differs between models even where it is a default."""
    found = varying(cells)
    labels = [_words(cell.record.model) for cell in cells]
    paths = [
        path
        for path in found.paths
        if path not in NAMES and _part(path) in OF_MODELS and _shown(path, found, labels)
    ]
    own = [_own(path) for path in paths]
    values = [value_texts([cell.get(path) for cell in found.cells]) for path in paths]
    names = []
    for index, words in enumerate(labels):
        keys = {_key(word) for word in words}
        more = [
            f"{key}={column[index]}"
            for path, key, column in zip(paths, own, values, strict=True)
            if key not in keys and path in found.cells[index]
        ]
        names.append(" ".join([*words, *more]))
    return names


def _words(label: str) -> list[str]:
    """Of a label, as one types them."""
    return label_words(typed_label(label))


def _shown(path: str, found: Varying, labels: Sequence[Sequence[str]]) -> bool:
    """Whether a field says more than the model's name does, or a label names it."""
    if _part(path) not in ("model", "recipe"):
        return True
    if any(_key(word) == _own(path) for words in labels for word in words):
        return True
    values: dict[Value, set[Value]] = {}
    for cell in found.cells:
        values.setdefault(cell["model.name"], set()).add(cell.get(path))
    return any(len(each) > 1 for each in values.values())


def _without(words: Sequence[str], parts: Sequence[str], paths: Sequence[str]) -> list[str]:
    """The words of a label but those of fields that have a column."""
    told = {_own(path) for path in paths if _part(path) in parts}
    return [word for word in words if _key(word) not in told]


def _key(word: str) -> str:
    key, equals, _ = word.partition("=")
    return key if equals else ""


def _part(path: str) -> str:
    return path.partition(".")[0]


def _own(path: str) -> str:
    """The field as a label writes it."""
    part, _, rest = path.partition(".")
    return rest if rest and (part in SHORTENED or part in SOURCES) else path


def _common(labels: Sequence[Sequence[str]]) -> str | None:
    """The label of all, or None where they differ."""
    first, *rest = labels
    return " ".join(first) if all(words == first for words in rest) else None


def _headings(paths: Sequence[str]) -> list[str]:
    """The fields' own names, or the paths of those that share one; a path's parts may wrap."""
    short = [path.partition(".")[2] if _part(path) in SHORTENED else path for path in paths]
    return [
        own if short.count(own) == 1 and own not in ("task", "model") else path
        for own, path in zip(short, paths, strict=True)
    ]


def value_texts(values: Sequence[Value]) -> list[str]:
    """One field's values as references write them, with the digits that keep them apart."""
    floats = {value for value in values if isinstance(value, float)}
    digits = next(
        digits
        for digits in range(FEWEST_DIGITS, 18)
        if len({f"{value:.{digits}g}" for value in floats}) == len(floats)
    )
    counts = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    short = max(counts, default=0) >= LARGE and all(map(_is_exact, counts))
    folder = os.path.commonpath(_folders(values)) if len(_folders(values)) > 1 else ""
    return [_text(value, digits, short, folder) for value in values]


def _text(value: Value, digits: int, short: bool, folder: str) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, int):
        return format_count(value) if short else str(value)
    return os.path.relpath(value, folder) if folder and value != ABSENT else value


def _folders(values: Sequence[Value]) -> list[str]:
    """The values, where all of them are folders."""
    paths = [value for value in values if isinstance(value, str) and os.sep in value]
    return paths if len(paths) == len(values) else []


def _is_exact(count: int) -> bool:
    """Whether three digits and a prefix say it all."""
    return count < 1000 or float(f"{count:.2e}") == count


def _is_numeric(values: Sequence[Value]) -> bool:
    return all(not isinstance(v, str) or v == ABSENT for v in values) and any(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    )
