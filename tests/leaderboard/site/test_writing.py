"""A site replaces an earlier site, whole, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import OutputError
from synthbench.leaderboard.site.writing import MARKER, new_site


def write(out: Path, *names: str) -> None:
    with new_site(out) as site:
        for name in names:
            site.add(name, f"page {name}")


def test_a_site_replaces_an_earlier_one(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "site"
    write(out, "index.html", "old/index.html")
    write(out, "index.html", "new/index.html")
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found == {MARKER, "index.html", "new/index.html"}
    assert [p.name for p in out.parent.iterdir()] == ["site"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "index.html")
    assert (tmp_path / "index.html").read_text() == "page index.html"


def test_the_site_is_as_readable_as_any_new_folder(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    write(tmp_path / "site", "index.html")
    assert (tmp_path / "site").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="not an earlier site; choose another --out"):
        write(tmp_path, "index.html")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_of_ones_own_in_a_site_is_not_lost(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, "index.html")
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match=r"notes/mine.txt', which `leaderboard build` did not"):
        write(out, "index.html")
    assert (out / "notes" / "mine.txt").read_text() == "kept"


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(OutputError, match="is a file; choose another --out"):
        write(tmp_path / "site", "index.html")


def test_a_build_that_fails_leaves_the_earlier_site(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, "index.html")
    with pytest.raises(ZeroDivisionError), new_site(out) as site:
        site.add("index.html", "half a page")
        _ = 1 / 0
    assert (out / "index.html").read_text() == "page index.html"
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_swap_that_fails_brings_the_earlier_site_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    write(out, "index.html")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match=r"cannot write .*site: Permission denied"):
        write(out, "index.html", "new/index.html")
    assert (out / "index.html").read_text() == "page index.html"
    assert [p.name for p in tmp_path.iterdir()] == ["site"]
