"""Third-party distributions, installed with the project's wheel outside the checkout."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from synthbench.scaffold import KINDS, PluginNames, write_plugin
from tests.fresh_environment import Ended, FreshEnvironment

EXAMPLE = Path(__file__).parent.parent / "example_plugin"
PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "synthbench-{name}"
version = "1.2.3"
dependencies = ["synthbench>=0.1"]

[project.entry-points.synthbench]
{name} = "synthbench_{name}"
"""
RAISES = """
from synthbench import hookimpl

import library_that_nobody_has
"""
CLASHES = """
from synthbench import hookimpl


@hookimpl
def register_tasks():
    from typing import ClassVar
    from synthbench_clash.task import Other
    return [Other]
"""
CLASHING_TASK = '''
from importlib.metadata import entry_points
from typing import ClassVar

import synthbench_parity.task


class Other(synthbench_parity.task.SparseParity):
    """Wants the name of a bundled task."""

    name: ClassVar[str] = "sparse-parity"
'''
COMES_FROM_THE_FUTURE = """
synthbench_plugin_api = 7
"""


@dataclass(frozen=True)
class ThirdParties:
    """An environment with a good plugin, broken ones and new ones; where sources and results lie.

    work: a folder to run commands in. generated: the sources of `synthbench plugin new`, by kind.
    """

    environment: FreshEnvironment
    work: Path
    example: Path
    generated: dict[str, Path]

    def run(self, *arguments: str, **variables: str) -> Ended:
        """Run one `synthbench` command in a process of its own."""
        return self.environment.run("synthbench", *arguments, cwd=self.work, **variables)


@pytest.fixture(scope="session")
def third_parties(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> ThirdParties:
    """Installed by pip, from the project's wheel and from source folders."""
    folder = tmp_path_factory.mktemp("third-parties")
    sources, work = folder / "sources", folder / "work"
    work.mkdir()
    example = sources / "synthbench-example"
    shutil.copytree(EXAMPLE, example, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    broken = [
        write_distribution(sources, "bad", {"__init__.py": RAISES}),
        write_distribution(sources, "clash", {"__init__.py": CLASHES, "task.py": CLASHING_TASK}),
        write_distribution(sources, "future", {"__init__.py": COMES_FROM_THE_FUTURE}),
    ]
    generated = {
        kind: write_plugin(kind, PluginNames(f"new-{kind}"), sources).folder for kind in KINDS
    }
    (folder / "environment").mkdir()
    environment = FreshEnvironment.create(folder / "environment")
    environment.install(wheel, example, *broken, *generated.values())
    return ThirdParties(environment, work, example, generated)


def write_distribution(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A distribution of one plugin, with the given files in its package."""
    home = folder / f"synthbench-{name}"
    package = home / f"synthbench_{name}"
    package.mkdir(parents=True)
    (home / "pyproject.toml").write_text(PROJECT.format(name=name))
    for file, text in files.items():
        (package / file).write_text(text)
    return home
