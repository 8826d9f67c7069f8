"""A fixture for tests that judge a task by every law, but not at full length."""

from __future__ import annotations

import pytest

from synthbench.testing.tasks import learners, statement_laws

STEPS = 10
"""Of the network that looks for what beats the optimum; by default sixteen times as many."""


@pytest.fixture
def briefly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law's own network is hardly trained, and sampling is timed on one batch; slow tests
    have both at full length."""
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setattr(learners, "STEPS", STEPS)
        monkeypatch.setattr(statement_laws, "TIMED_SECONDS", 1e-9)
