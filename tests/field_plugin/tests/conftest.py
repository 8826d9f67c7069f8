"""Where the plugin is installed pytest finds it; beside a checkout of it, its folder is enough."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.registry.host import PluginHost
from synthbench.registry.registry import installed

FOLDER = Path(__file__).parents[1]
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))


@pytest.fixture(scope="session")
def field() -> Iterator[None]:
    """The plugin, known to every command of this process, also where it is not installed."""
    host = installed().host
    if any(plugin.name == "field" for plugin in host.plugins):
        yield
        return
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    ((name, module),) = project["entry-points"]["synthbench"].items()
    point = EntryPoint(name, module, "synthbench")
    found = PluginHost.from_entry_points([point], "")
    assert not found.failures, found.failures
    host.plugins += found.plugins
    yield
    host.plugins.remove(*found.plugins)


@pytest.fixture
def settings() -> sb.Settings:
    """CPU, fixed block size, every evaluation's weights kept."""
    return sb.Settings(
        sb.TrainerOptions(accelerator="cpu"), replicas_per_block=4, keep_weights="all"
    )
