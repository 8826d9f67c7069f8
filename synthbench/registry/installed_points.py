"""The entry points of everything that is installed, one broken distribution of which is set aside.

`importlib.metadata.entry_points` raises for all of them where the file of one cannot be read.
"""

from __future__ import annotations

import traceback
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

from synthbench.errors import explain
from synthbench.registry.plugin import PluginFailure

GROUP = "synthbench"
UNREADABLE = "its list of entry points cannot be read ({}); install it again, or delete its folder"


def installed_points(group: str) -> tuple[list[EntryPoint], list[PluginFailure]]:
    """Those of a group, and a failure for every distribution whose entry points cannot be read."""
    try:
        return list(entry_points(group=group)), []
    # Whatever is in the file: bytes that are no text, or text that is no list.
    except Exception:
        return _one_by_one(group)


def damaged_by(error: BaseException) -> str | None:
    """A line about the distribution whose metadata some library could not read; None if none did.

    Lightning, torch and others look through everything that is installed when they are imported.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not any("importlib" in f.filename and "metadata" in f.filename for f in frames):
        return None
    _, failures = _one_by_one(GROUP)
    if not failures:
        return None
    named = "; ".join(f"{each.distribution}: {each.error}" for each in failures)
    return f"a package is damaged, and what trains cannot start beside it: {named}"


def _one_by_one(group: str) -> tuple[list[EntryPoint], list[PluginFailure]]:
    points: list[EntryPoint] = []
    failures: list[PluginFailure] = []
    seen = set[str]()
    for distribution in distributions():
        name = _name(distribution)
        # The first on the path is the one that is imported.
        if name in seen:
            continue
        seen.add(name)
        try:
            points += distribution.entry_points.select(group=group)
        except Exception as error:
            reason = UNREADABLE.format(" ".join(explain(error).split()))
            failures.append(PluginFailure("unknown", name, "?", reason))
    return points, failures


def _name(distribution: Distribution) -> str:
    """Its own or, where that cannot be read, that of its folder."""
    try:
        found = distribution.metadata["Name"]
    except Exception:
        found = None
    return str(found or getattr(distribution, "_path", "unknown")).lower().replace("_", "-")
