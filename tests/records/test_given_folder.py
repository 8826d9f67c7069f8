"""Folders that people name: expanded, or refused before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import OutputError
from synthbench.records.given_folder import given_folder


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("s3://bucket/runs", "s3:/bucket/runs: an address, where a folder of this machine"),
        (Path("s3://bucket/runs"), "an address"),
        ("file:///tmp/runs", "an address"),
        ("file:runs", "an address"),
        ("localhost:runs", "an address"),
        ("runs/" + "a" * 300, "a name of 300 bytes; 255 are allowed"),
        ("runs/" + "ü" * 130, "a name of 260 bytes"),
        (b"runs/\xff".decode(errors="surrogateescape"), r"runs/\\udcff: its name is not UTF-8"),
        ("a\0b", r"a\\x00b: it holds a zero byte"),
        ("~nobody-of-that-name/runs", "there is no home ~nobody-of-that-name"),
    ],
)
def test_what_can_be_no_folder_is_refused_in_a_line(given: Path | str, reason: str) -> None:
    with pytest.raises(OutputError, match=reason) as found:
        given_folder(given)
    assert "\n" not in str(found.value) and str(found.value).isprintable()
    # Also by what trains, before it does.
    with pytest.raises(OutputError, match=reason):
        sb.evaluate_cells([], given, sb.Settings())


@pytest.mark.parametrize("given", ["runs", "./runs/x:y", "/tmp/s3:/x", "C:", "a~b", "ü" * 127])
def test_every_other_name_is_as_it_is(given: str) -> None:
    assert given_folder(given) == Path(given)


def test_home_is_where_it_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_folder("~/runs") == tmp_path / "runs"
    assert given_folder(Path("~")) == tmp_path
