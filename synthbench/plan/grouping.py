"""Sorting what is equal into groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def groups(keys: Sequence[Hashable]) -> list[list[int]]:
    """The places of equal keys, in the order of the first of each group."""
    found: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return list(found.values())
