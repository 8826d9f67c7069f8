"""A clone has the bytes that were committed, whatever git is told about line ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUBMISSIONS = ROOT / "leaderboards" / "quickstart" / "submissions"
BUNDLED = [path for path in SUBMISSIONS.rglob("*") if path.is_file()]
FILES = {
    "leaderboards/a-v1/submissions/b/submission.json": b'{\n "a": 1\n}\n',
    "leaderboards/a-v1/submissions/b/table.csv": b"a,b\r\n1,2\r\n",
    "leaderboards/a-v1/suite.toml": b'name = "a"\n',
    "synthbench/code.py": b"x = 1\n",
}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_clone_with_other_line_ends_has_the_same_bytes(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"

    def git(*words: str) -> None:
        subprocess.run(("git", *words), check=True, capture_output=True, cwd=tmp_path)

    git("init", "-q", str(origin))
    shutil.copy(ROOT / ".gitattributes", origin)
    bundled = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in BUNDLED}
    assert len(bundled) > 4
    files = {**bundled, **FILES}
    for name, content in files.items():
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_bytes(content)
    git("-C", str(origin), "add", ".")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    git("-C", str(origin), *who, "commit", "-qm", "all")
    # As Git for Windows proposes.
    other = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    git("clone", "-q", *other, str(origin), str(clone))
    assert {name: (clone / name).read_bytes() for name in files} == files
