"""A clone is the same to the byte whatever git is set to: submissions are hashed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUBMISSION = "leaderboards/quickstart/submissions"


def git(*arguments: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["git", *map(str, arguments)], cwd=cwd, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="no checkout")
def test_a_clone_with_other_line_endings_has_the_same_submissions(tmp_path: Path) -> None:
    """`core.autocrlf=true` is what Git for Windows proposes."""
    clone = tmp_path / "clone"
    git("init", "-q", clone)
    shutil.copytree(ROOT / SUBMISSION, clone / SUBMISSION)
    shutil.copy(ROOT / ".gitattributes", clone)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git("add", "-A", cwd=clone)
    git(*identity, "commit", "-qm", "all", cwd=clone)
    shutil.rmtree(clone / SUBMISSION)
    git("config", "core.autocrlf", "true", cwd=clone)
    git("checkout", "-q", "--", ".", cwd=clone)
    found = [path for path in (clone / SUBMISSION).rglob("*") if path.is_file()]
    assert len(found) > 4
    for path in found:
        assert path.read_bytes() == (ROOT / path.relative_to(clone)).read_bytes(), path
