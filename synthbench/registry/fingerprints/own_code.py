"""Which code is one's own, to be looked into, and which is installed and counts by its name."""

from __future__ import annotations

import dis
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages."""

_STANDARD = Path(dis.__file__).parent


def is_installed(module: str | None) -> bool:
    """Whether a module belongs to Python, to SynthBench or to an installed package."""
    if module is None or module == "__main__":
        # The file of a notebook's __main__ is an installed package's.
        return False
    top, file = module.partition(".")[0], getattr(sys.modules.get(module), "__file__", None)
    if top == "synthbench":
        return True
    if top in sys.stdlib_module_names and (file is None or _STANDARD in Path(file).parents):
        return True
    if file is not None and not PACKAGES.isdisjoint(Path(file).parts):
        return True
    return any(map(_is_finished, _distributions().get(top, ())))


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Top-level modules and the distributions that they are of."""
    return packages_distributions()


@cache
def _is_finished(name: str) -> bool:
    """Whether a distribution was installed from a wheel, and not to be edited where it lies."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return False
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return bool(found.read_text("RECORD")) and not origin.get("dir_info", {}).get("editable")
