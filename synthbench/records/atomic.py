"""Files that are either whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

from synthbench.errors import OutputError


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename; OutputError if that is not possible."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def make_folder(path: Path) -> None:
    """Create a folder and its parents; OutputError if it cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to {path}: {error.strerror}; choose another folder"
        ) from None
