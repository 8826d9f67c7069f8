"""Which third-party plugins are loaded: `SYNTHBENCH_PLUGINS=none`, or `=a,b`.

Bundled plugins always are. A name is that of a plugin (its entry point) or of a distribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint

from synthbench.errors import UnknownNameError, did_you_mean

VARIABLE = "SYNTHBENCH_PLUGINS"
OWN_DISTRIBUTION = "synthbench"
NONE = "none"


def select(points: Iterable[EntryPoint], wanted: str) -> tuple[list[EntryPoint], list[EntryPoint]]:
    """The entry points to load, and those to leave out.

    wanted: the variable's value; empty for all of them. Raises UnknownNameError for a name that
    is not installed, and where "none" stands beside others.
    """
    found = list(points)
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        return found, []
    others = [point for point in found if distribution_of(point)[0] != OWN_DISTRIBUTION]
    if NONE in names:
        if len(names) > 1:
            raise UnknownNameError(f"{VARIABLE}={wanted}: say none alone, or name the plugins")
        names = []
    _refuse_unknown(names, found, others)
    keys = {_key(name) for name in names}
    left_out = [point for point in others if not keys & _keys(point)]
    return [point for point in found if point not in left_out], left_out


def distribution_of(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that an entry point comes from."""
    found = point.dist
    try:
        # A folder that was half removed has no metadata.
        return (found.name or "unknown", found.version or "?") if found else ("unknown", "?")
    # One that was damaged has some that is no text.
    except Exception:
        return "unknown", "?"


def _refuse_unknown(names: list[str], found: list[EntryPoint], others: list[EntryPoint]) -> None:
    installed = {key for point in found for key in _keys(point)}
    for name in names:
        if _key(name) not in installed:
            options = dict.fromkeys(n for p in others for n in (p.name, distribution_of(p)[0]))
            there = ", ".join(sorted({point.name for point in others})) or "none"
            raise UnknownNameError(
                f'{VARIABLE} names "{name}", which is not installed{did_you_mean(name, options)} '
                f"(third-party plugins: {there})"
            )


def _keys(point: EntryPoint) -> set[str]:
    return {_key(point.name), _key(distribution_of(point)[0])}


def _key(name: str) -> str:
    """A name as package indexes compare it: `Coin_Flips` and `coin-flips` are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()
