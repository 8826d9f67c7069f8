"""Parts of a file as sources of their own, whose errors name the lines of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.study.toml_source import TomlSource

FILE = """\
title = "a"

[grids.one]
says = "b"
tasks = ["x", "y"]

[[claims]]
name = "c"
"""


@pytest.fixture
def source(tmp_path: Path) -> TomlSource:
    path = tmp_path / "file.toml"
    path.write_text(FILE)
    return TomlSource.read(path)


def test_a_part_has_its_own_content_and_the_lines_of_the_file(source: TomlSource) -> None:
    part = source.part("grids", "one", without=("says",))
    assert dict(part.content) == {"tasks": ["x", "y"]}
    error = part.located(("tasks", 1), ConfigurationError("no"))
    assert str(error) == f"{source.path}:5: grids.one.tasks: no"
    # What is not there is named by what holds it.
    assert str(part.located(("models",), ConfigurationError("no"))) == (
        f"{source.path}:3: grids.one: no"
    )
    claim = source.part("claims", 0)
    assert str(claim.located(("name",), ConfigurationError("no"))) == (
        f"{source.path}:8: claims.name: no"
    )


def test_a_part_is_a_table(source: TomlSource) -> None:
    with pytest.raises(ConfigurationError, match=r":5: grids\.one\.tasks: .* must be a table"):
        source.part("grids", "one", "tasks")


def test_a_byte_order_mark_is_not_of_the_file(source: TomlSource) -> None:
    source.path.write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    marked = TomlSource.read(source.path)
    assert marked.content == source.content
    assert str(marked.located(("title",), ConfigurationError("no"))).startswith(f"{source.path}:1:")
