"""The lines about plugins that are installed and did not load."""

from __future__ import annotations

import sys


def say_set_aside() -> None:
    """Say on stderr which plugins are broken, and why; not those that the user left out."""
    from synthbench.registry.registry import installed

    for failure in installed().host.failures:
        print(f"warning: {failure.describe()}", file=sys.stderr)
