"""Where two JSON values differ, for a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.texts import shortened


def first_difference(found: Any, expected: Any, where: str = "") -> tuple[str, str, str]:
    """The first place where two JSON values differ, and both values, cut to a readable length."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in [*expected, *(k for k in found if k not in expected)]:
            one, other = found.get(key, "absent"), expected.get(key, "absent")
            # As JSON: 1, 1.0 and true are equal to Python, and are not the same plan.
            if content_hash({"": one}) != content_hash({"": other}):
                return first_difference(one, other, f"{where}.{key}" if where else str(key))
    return where or "it", shortened(found), shortened(expected)
