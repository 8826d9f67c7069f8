"""A site on disk: put together beside its place, then swapped in whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthbench.errors import OutputError
from synthbench.records.atomic import make_folder

MARKER = ".synthbench-site"
"""Lists the files of a site, so that the next one replaces nothing else."""
HEADING = "written by `synthbench leaderboard build`; its files:"


class Site:
    """A site that is being put together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[str] = []

    def add(self, path: str, page: str) -> None:
        """Write a page; path: relative, made of validated names."""
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate, as in the name of a folder, is shown as its code.
        target.write_bytes(page.encode("utf-8", "backslashreplace"))
        self._files.append(path)

    def finish(self) -> None:
        """Write the marker."""
        listed = "\n".join([HEADING, *sorted(self._files)]) + "\n"
        (self._folder / MARKER).write_text(listed, encoding="utf-8")


@contextmanager
def new_site(out: Path) -> Iterator[Site]:
    """A site that replaces the one in `out` when the block ends, and not if it fails.

    Raises OutputError where `out` holds anything but an earlier site.
    """
    out = out.resolve()
    check_replaceable(out)
    make_folder(out.parent)
    staged = out.with_name(f".{out.name}.{os.getpid()}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir()
        site = Site(staged)
        yield site
        site.finish()
        _swap(staged, out)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {out}: {error.strerror}") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """Raise OutputError unless nothing would be lost if `out` were replaced by a site."""
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file; choose another --out")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    if not found:
        return
    if MARKER not in found:
        raise OutputError(f"{out} is not empty and not an earlier site; choose another --out")
    text = (out / MARKER).read_text(encoding="utf-8", errors="replace")
    foreign = sorted(found - {MARKER, *text.splitlines()})
    if foreign:
        raise OutputError(
            f"{out} holds {foreign[0]!a}, which `leaderboard build` did not write; move it "
            "away or choose another --out"
        )


def _swap(staged: Path, out: Path) -> None:
    """Put a folder in the place of another; the old one comes back if that fails."""
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    if out.exists():
        out.rename(old)
    try:
        staged.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
