"""Damaged packages are named, and what else is installed is found."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from synthbench.registry.host import PluginHost
from synthbench.registry.installed_points import GROUP, damaged_by, installed_points
from tests.cli.command import run_command


def package(folder: Path, name: str, entries: bytes | None, metadata: bytes | None) -> None:
    home = folder / f"{name}-1.0.dist-info"
    home.mkdir(parents=True)
    for file, content in (("entry_points.txt", entries), ("METADATA", metadata)):
        if content is not None:
            (home / file).write_bytes(content)


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Packages that are damaged in every way beside ours; the bundled plugins without them."""
    before = [point.name for point in entry_points(group=GROUP)]
    package(tmp_path, "no_text", b"[synthbench]\nx = \xff\n", b"Name: no-text\nVersion: 1.0\n")
    package(tmp_path, "no_words", None, b"\xff\xfe")
    package(tmp_path, "left_over", None, None)
    package(tmp_path, "no_name", b"[synthbench]\nno-name = nowhere_at_all\n", None)
    package(tmp_path, "bytes", b"[synthbench]\nbytes = nowhere_at_all\n", b"\xff\xfe")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return before


def test_one_damaged_package_takes_no_other_with_it(damaged: list[str]) -> None:
    with pytest.raises(UnicodeDecodeError):
        entry_points(group=GROUP)
    points, (failure,) = installed_points(GROUP)
    assert sorted(point.name for point in points) == sorted([*damaged, "no-name", "bytes"])
    assert failure.distribution == "no-text"
    assert "cannot be read (UnicodeDecodeError" in failure.error and "delete" in failure.error


def test_the_bundled_plugins_load_beside_them(damaged: list[str]) -> None:
    host = PluginHost.from_entry_points(wanted="")
    bundled = {plugin.name for plugin in host.plugins if plugin.is_bundled}
    assert bundled and bundled <= set(damaged)
    assert {each.name for each in host.failures} >= {"unknown", "no-name", "bytes"}
    assert not any("\n" in line for line in host.absent())


def test_a_library_that_fails_for_it_ends_the_command_with_its_name(
    damaged: list[str], capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As fsspec does, which Lightning imports."""

    def importing(*_: object) -> None:
        entry_points(group="fsspec.specs")

    monkeypatch.setattr("synthbench.cli.main._global_option_first", importing)
    code, _, err = run_command(capsys, monkeypatch, "eval", columns=300)
    assert code == 2
    assert err.startswith("error: a package is damaged, and what trains cannot start beside it")
    assert ": no-text: its list of entry points cannot be read" in err
    assert len(err.splitlines()) == 1


def test_other_errors_are_not_taken_for_it(damaged: list[str]) -> None:
    assert damaged_by(ValueError("else")) is None
