"""The wheel in an environment that nothing was lent to: `pytest -m slow tests/distributions`.

Installs everything from constraints.txt anew, which takes minutes and a package index.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed
from tests.fresh_environment import ROOT, clean

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that pip has filled from the wheel and constraints.txt."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run([sys.executable, "-m", "venv", str(folder)], wheel.parent)
    python = folder / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    run([str(python), "-m", "pip", "install", "-q", "-c", constraints, str(wheel)], wheel.parent)
    return python


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=clean(), capture_output=True, text=True, check=False, timeout=3600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_quickstart_and_every_board(clean_python: Path, tmp_path: Path) -> None:
    synthbench = str(clean_python.with_name("synthbench"))
    printed = run([synthbench, "eval", "quickstart"], tmp_path)
    assert "32/32" in printed
    run([synthbench, "leaderboard", "submit", "runs/quickstart", "--author", "Ada Lovelace",
         "--model", "mlp width=3", "--name", "narrow"], tmp_path)  # fmt: skip
    printed = run([synthbench, "leaderboard", "build", "--out", "site"], tmp_path)
    for name in installed().names(SUITE):
        assert f"{name}: " in printed and (tmp_path / "site" / name / "index.html").exists()
    assert "set aside" not in printed
    assert "mlp width=3" in (tmp_path / "site" / "quickstart" / "index.html").read_text()
