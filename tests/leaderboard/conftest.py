"""Fixtures of the attacks: fresh copies of honest submissions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.leaderboard.submissions.attacks import SMALL, SUITE, honest


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        suite.name: honest(suite, tmp_path_factory.mktemp(suite.name)) for suite in (SUITE, SMALL)
    }


@pytest.fixture
def attacked(originals: dict[str, Path], tmp_path: Path) -> Path:
    """A fresh copy of an honest submission of two cells."""
    return Path(shutil.copytree(originals["attacked"], tmp_path / "submissions" / "honest"))


@pytest.fixture
def small(originals: dict[str, Path], tmp_path: Path) -> Path:
    """A fresh copy of an honest submission of one cell."""
    return Path(shutil.copytree(originals["small"], tmp_path / "submissions" / "honest"))
