"""A hub on this machine, and a board with one submission to put on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synthbench.leaderboard.standings.placing import DEFAULT_FOLDER
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed
from tests.leaderboard.hub.server import Hub, serving
from tests.leaderboard.synthetic import log_normal_times, make_submission
from tests.leaderboard.trained import as_plugin, write_suite


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """An empty hub, which the client takes for the only one; nobody is logged in."""
    with serving() as served:
        point_to(monkeypatch, served.address)
        monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
        yield served


def point_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """What `HF_ENDPOINT` does, and `HF_HUB_DISABLE_XET`; the client reads them when imported."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "nowhere")
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Path]:
    """A suite of two cells, and boards that hold two submissions to it."""
    suite = write_suite(tmp_path_factory.mktemp("suites") / "tiny")
    boards = tmp_path_factory.mktemp("boards")
    make_submission(suite, boards, "first", log_normal_times(suite, 1.0, 0))
    make_submission(suite, boards, "second", log_normal_times(suite, 0.5, 1))
    return suite, boards


@pytest.fixture
def boards(published: tuple[Suite, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of boards; the suite is installed, and the working folder is empty."""
    suite, folder = published
    host = installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, as_plugin(suite)])
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert not DEFAULT_FOLDER.exists()
    return folder
