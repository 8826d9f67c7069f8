"""A fixture for tests that judge sound models by every law."""

from __future__ import annotations

import pytest

from synthbench.testing.models import training_laws


@pytest.fixture
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three replicas stand for many, one more than the engine tries; in slow tests there are ten.

    A model whose rounding grows, or that draws a flag, may need the ten to be found.
    """
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setattr(training_laws, "MANY", (0, 1, 2))
