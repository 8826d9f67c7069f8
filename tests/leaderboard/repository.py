"""A repository of leaderboards with a small suite, which is installed for child processes too."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from synthbench.leaderboard.submissions.packing import Wording, choose_cells, pack
from synthbench.plan.suite import Suite
from synthbench.results.results import read_cells
from tests.leaderboard.trained import train, write_suite

SUITE_TEXT = """
name = "mini"
version = 1
title = "One small parity"
description = "For tests."
seeds = 6
evaluation_samples = 128
models = ["mlp width=8"]

[[cells]]
task = "sparse-parity n=6 k=2"
budget = 3_200
"""
PLUGIN = """
from pathlib import Path
from synthbench import hookimpl

@hookimpl
def register_suites():
    return [Path(__file__).parent / "suite.toml"]
"""
NAMED = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@dataclass(frozen=True)
class Repository:
    """A checkout whose branch `main` has no submission. site: a folder to be on Python's path."""

    root: Path
    site: Path
    suite: Suite
    run: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.root), *NAMED, *arguments]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "a change")

    def submit(self, name: str) -> Path:
        """Pack the run; returns the submission's folder."""
        cells = choose_cells(read_cells(self.run), self.suite, "fixed-recipe", None)
        wording = Wording(name, f"{name} | `of` @ada", ("Ada Lovelace",))
        return pack(
            cells, self.suite, wording, "fixed-recipe", [], self.root / "leaderboards"
        ).folder

    def environment(self) -> dict[str, str]:
        """Of a process to which the suite is installed."""
        path = os.pathsep.join([str(self.site), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, "PYTHONPATH": path, "SYNTHBENCH_PLUGINS": "mini-suite"}


def make_repository(folder: Path) -> Repository:
    """A repository with one commit, and a run of its suite beside it."""
    site = folder / "site"
    suite = write_suite(site / "mini_suite", SUITE_TEXT)
    (site / "mini_suite" / "__init__.py").write_text(PLUGIN)
    metadata = site / "mini_suite-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mini-suite\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[synthbench]\nmini-suite = mini_suite\n")
    root = folder / "repository"
    home = root / "leaderboards" / "mini"
    home.mkdir(parents=True)
    shutil.copy(suite.folder / "suite.toml", home)
    (root / "README.md").write_text("A repository.\n")
    made = Repository(root, site, suite, train(suite, folder / "runs" / "mini", "mlp width=8"))
    made.git("init", "-q", "-b", "main")
    made.commit()
    made.git("checkout", "-qb", "topic")
    return made
