"""What cells are called beside one another: by what they do not share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from synthbench.contracts.configuration import field_tokens
from synthbench.plan.cell import Cell
from synthbench.plan.label import label_words
from synthbench.plan.protocol import Protocol

SHORTEST_KEY = 3
"""Letters that are left of a field's name where there is no room: `mom=0.9` for `momentum=0.9`."""
KEY = re.compile(rf"[^\s=(),]{{{SHORTEST_KEY + 1},}}(?==)")
GAP = "..."


def cell_names(cells: Sequence[Cell], width: int | None = None) -> list[str]:
    """Names that tell cells apart: without the words that all of them have in common.

    `n=20 k=2` and `n=40 k=3 noise=0.1` for cells of one model; where models differ too,
    `width=200 on n=20 k=2`; a single cell by its whole name. What all else have in common is told
    apart by the protocol and the probes. width: characters that a name may take; longer ones lose
    letters of their fields' names first, then a middle part without which no two are alike. A
    single cell's loses its fields.
    """
    names = _distinct(cells)
    if width is None:
        return names
    if len(cells) == 1 and len(names[0]) > width:
        return _fitted([_joined([cells[0].model.name], [cells[0].task.name])], width)
    return _fitted(names, width)


def _distinct(cells: Sequence[Cell]) -> list[str]:
    whole = [(label_words(cell.label()), label_words(cell.task.label())) for cell in cells]
    if len(cells) == 1:
        return [_joined(*whole[0])]
    models, tasks = (_without_common(part) for part in zip(*whole, strict=True))
    names = [_joined(*parts) for parts in zip(models, tasks, strict=True)]
    if len(set(names)) == len(names):
        return names
    return [
        ", ".join(filter(None, (name, " ".join(words))))
        for name, words in zip(names, _settings(cells), strict=True)
    ]


def distinctions(cells: Sequence[Cell]) -> list[str]:
    """What tells each cell from others with its model and task: `budget=640`; mostly nothing."""
    alike: dict[tuple[str, str], list[int]] = {}
    for place, cell in enumerate(cells):
        alike.setdefault((cell.label(), cell.task.label()), []).append(place)
    found = [""] * len(cells)
    for places in alike.values():
        for place, words in zip(places, _settings([cells[p] for p in places]), strict=True):
            found[place] = " ".join(words)
    return found


def _joined(model: Sequence[str], task: Sequence[str]) -> str:
    return " on ".join(" ".join(part) for part in (model, task) if part)


def _settings(cells: Sequence[Cell]) -> list[list[str]]:
    """How each cell is measured, as words, where they are not all measured alike."""
    protocols = [cell.protocol for cell in cells]
    fields = [
        field
        for field in Protocol.model_fields
        if len({getattr(protocol, field) for protocol in protocols}) > 1
    ]
    probes = _without_common([[f"probe={p.label()}" for p in cell.probes] for cell in cells])
    return [
        [*(_setting(cell.protocol, field) for field in fields), *own]
        for cell, own in zip(cells, probes, strict=True)
    ]


def _setting(protocol: Protocol, field: str) -> str:
    if getattr(protocol, field) is None:
        return f"{field}=none"
    return field_tokens(protocol, (field,))[0]


def _without_common(parts: Sequence[Sequence[str]]) -> list[list[str]]:
    """What is left of each without the words of all; the first word where that is nothing."""
    common = set(parts[0]).intersection(*parts)
    left = [[word for word in part if word not in common] for part in parts]
    if not any(left):
        return left
    return [rest or list(part[:1]) for rest, part in zip(left, parts, strict=True)]


def _fitted(names: list[str], width: int) -> list[str]:
    """The names in `width` characters each, no two alike if that can be."""
    for names in _with_shorter_keys(names):  # noqa: B020 - each is what is left to be cut
        if max(map(len, names)) <= width:
            return names
    room = max(width - len(GAP), 0)
    heads = sorted(range(room + 1), key=lambda head: abs(2 * head - room))
    cut = [[_cut(name, width, head) for name in names] for head in heads]
    return next((one for one in cut if len(set(one)) == len(set(names))), cut[0])


def _with_shorter_keys(names: list[str]) -> Iterator[list[str]]:
    """The names as they are, then with ever fewer letters of fields, as long as none are alike."""
    longest = max((len(key) for name in names for key in KEY.findall(name)), default=0)
    yield names
    for letters in range(longest - 1, SHORTEST_KEY - 1, -1):
        shorter = [KEY.sub(_first(letters), name) for name in names]
        if len(set(shorter)) < len(set(names)):
            return
        yield shorter


def _first(letters: int) -> Callable[[re.Match[str]], str]:
    return lambda key: key[0][:letters]


def _cut(name: str, width: int, head: int) -> str:
    """The name with a gap after `head` characters where it is too long."""
    if len(name) <= width:
        return name
    tail = width - len(GAP) - head
    return name[:head] + GAP[:width] + (name[-tail:] if tail > 0 else "")
