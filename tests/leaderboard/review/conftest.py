"""A repository to review, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synthbench.registry.registry import installed
from tests.leaderboard.repository import Repository, make_repository
from tests.leaderboard.trained import as_plugin


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return make_repository(tmp_path_factory.mktemp("review"))


@pytest.fixture
def repository(made: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """On a branch without submissions; the suite is installed in this process too."""
    host = installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, as_plugin(made.suite)])
    made.git("checkout", "-qf", "-B", "topic", "main")
    yield made
    made.git("clean", "-qfdx")
