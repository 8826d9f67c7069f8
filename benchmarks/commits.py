"""Other commits of this repository, checked out and installed beside this one."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A checkout of a commit, removed in the end."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


@contextmanager
def installed(tree: Path) -> Iterator[Path]:
    """The Python of a virtual environment in which a checkout is installed, removed in the end.

    It has the very packages of this environment, linked, with `tree` in the place of SynthBench:
    nothing is downloaded. A checkout that needs a package that is not here fails at its import.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        python = environment / "bin" / "python"
        here = Path(sysconfig.get_paths()["purelib"])
        there = Path(sysconfig.get_path("purelib", "venv", vars={"base": folder}))
        own = {Path(file).parts[0] for file in distribution("synthbench").files or ()}
        for package in here.iterdir():
            if package.name not in own | {"__pycache__"}:
                (there / package.name).symlink_to(package)
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([python, *install, "--editable", tree], check=True)
        yield python
