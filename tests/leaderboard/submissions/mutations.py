"""Random changes of a submission's files: of JSON values, of bytes, of measurements."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.records.content import parquet_bytes

Files = dict[str, bytes]

HOSTILE = [
    None, True, False, 0, 1, -1, 2, 3, 31, 32, 33, 2**31, 2**53 + 1, 2**63, 10**30, 10**400,
    0.0, -0.0, 0.5, 1.0, 1e-320, 1e-9, 1e38, 1e39, 1e308, float("nan"), float("inf"), "", " ", "0",
    "a", "nan", "\n", "\x00", "\u202e", "\ud800", "../..", "<script>", "[red]x[/]", "%s{0}",
    "a" * 2000, [], {}, [[]], [None], {"": {}}, {"name": "x"}, [1, 2, 3], "solved", "censored",
    "diverged", "mlp width=16", "foreign", "tuned", "2026-01-01", "f" * 64,
]  # fmt: skip
NUMBERS = [
    np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 0.5, 0.96, -1.0, 1e-45, 1e38, -1e38, 9e38, 1e300,
]  # fmt: skip


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value in a JSON value."""
    if path:
        yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from places(item, (*path, key))


def at(value: object, path: tuple) -> object:
    for key in path:
        value = value[key]
    return value


def change_json(content: object, rng: Random) -> None:
    """One change at a random place: delete, duplicate, rename, retype, replace or move."""
    known = list(places(content))
    if not known:
        return
    *home, key = rng.choice(known)
    parent = at(content, tuple(home))
    value = parent[key]
    change = rng.choice(["delete", "twice", "rename", "retype", "replace", "nudge", "move"])
    if change == "delete":
        del parent[key]
    elif change == "twice":
        if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(value))
        else:
            parent[f"{key} "] = copy.deepcopy(value)
    elif change == "rename" and isinstance(parent, dict):
        parent[rng.choice(["", "a\nb", "\u202e", "x" * 1500, "<b>", f"{key}s"])] = parent.pop(key)
    elif change == "retype":
        parent[key] = rng.choice([str, lambda v: [v], lambda v: {"a": v}, bool, repr])(value)
    elif change == "nudge" and isinstance(value, int | float):
        parent[key] = rng.choice([value + 1, value - 1, -value, float(value), value * 1.001])
    elif change == "move":
        parent[key] = copy.deepcopy(at(content, rng.choice(known)))
    else:
        parent[key] = copy.deepcopy(rng.choice(HOSTILE))


def change_bytes(content: bytes, rng: Random) -> bytes:
    """One change of bytes: flipped, cut, doubled, put in, or cut off."""
    if not content:
        return b"\x00"
    start = rng.randrange(len(content))
    stop = min(len(content), start + rng.choice([1, 1, 1, 4, 64]))
    noise = bytes(
        rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)]) for _ in range(start, stop)
    )
    flipped = bytes(b ^ (1 << rng.randrange(8)) for b in content[start:stop])
    middle = rng.choice([flipped, flipped, noise, b"", content[start:stop] * 2])
    return content[:start] if rng.random() < 0.05 else content[:start] + middle + content[stop:]


def change_table(content: bytes, rng: Random) -> bytes:
    """One change of measurements: a value, a run of values, a column, a row."""
    table = pq.read_table(io.BytesIO(content))
    name = rng.choice(table.column_names)
    values = table[name].to_numpy().copy()
    row = rng.randrange(len(values))
    rows = slice(row, rng.choice([row + 1, row + 5, None]))
    kind = rng.choice(["set", "set", "set", "shift", "drop", "remove"])
    if kind == "drop":
        table = pa.concat_tables([table.slice(0, row), table.slice(row + 1)])
    elif kind == "remove":
        table = table.drop_columns([name])
    else:
        if kind == "set" and values.dtype == float:
            values[rows] = rng.choice(NUMBERS)
        else:
            values[rows] = values[rows] * rng.choice([1.0, 1.001]) + rng.choice([0, 1, -1])
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return parquet_bytes(table)


def dump(content: object) -> bytes:
    return json.dumps(content).encode()


def mutate(files: Files, rng: Random, seal: Callable[[Files], Files]) -> Files:
    """A few changes of a submission's files; half of the time with the hashes made right."""
    changed = dict(files)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        name = rng.choice(list(files))
        if rng.random() < 0.25:
            changed[name] = change_bytes(changed[name], rng)
        elif name.endswith(".json"):
            try:
                content = json.loads(changed[name])
                change_json(content, rng)
                changed[name] = dump(content)
            except (ValueError, RecursionError):
                changed[name] = change_bytes(changed[name], rng)
        else:
            changed[name] = _changed_table(changed[name], rng)
    return seal(changed) if rng.random() < 0.5 else changed


def _changed_table(content: bytes, rng: Random) -> bytes:
    try:
        return change_table(content, rng)
    except Exception:
        # Its bytes were changed before: it is no table any more.
        return change_bytes(content, rng)
