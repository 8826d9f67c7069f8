"""The wheel holds the core and every bundled plugin, and nothing that does not belong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from synthbench.scaffold import KINDS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_every_source_file(wheel_names: list[str]) -> None:
    core = {str(p.relative_to(ROOT)) for p in (ROOT / "synthbench").rglob("*.py")}
    plugins = {
        str(p.relative_to(ROOT / "plugins"))
        for suffix in ("*.py", "*.toml")
        for p in (ROOT / "plugins").rglob(suffix)
    }
    assert core | plugins | {"synthbench/py.typed"} <= set(wheel_names)
    assert plugins


def test_the_wheel_holds_the_sites_templates_and_assets(wheel_names: list[str]) -> None:
    folder = ROOT / "synthbench" / "leaderboard" / "site"
    wanted = {
        str(path.relative_to(ROOT))
        for part, suffix in (("templates", "*.j2"), ("assets", "*"))
        for path in (folder / part).glob(suffix)
    }
    assert {Path(name).suffix for name in wanted} == {".j2", ".css", ".js"}
    assert wanted <= set(wheel_names)


def test_the_wheel_holds_the_templates_of_new_plugins(wheel_names: list[str]) -> None:
    folder = ROOT / "synthbench" / "scaffold" / "templates"
    wanted = {str(path.relative_to(ROOT)) for path in folder.rglob("*.j2")}
    assert {Path(name).parent.name for name in wanted} == {"common", "sequence_model", *KINDS}
    assert wanted <= set(wheel_names)


def test_the_wheel_has_no_stray_top_level_names(wheel_names: list[str]) -> None:
    top = {name.split("/")[0] for name in wheel_names}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "synthbench",
        *(p.name for p in (ROOT / "plugins").iterdir() if (p / "__init__.py").exists()),
    }
    assert not [name for name in wheel_names if name.endswith(".md") and "/" not in name]
