"""Fixtures of plugins' tests.

What the optimum of a task is, its tests compute; `-m slow` examines every bundled task in full, in
tests/testing/tasks.
"""

from __future__ import annotations

from tests.testing.tasks.brief import briefly

__all__ = ["briefly"]
