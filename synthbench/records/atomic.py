"""Files that are either whole or absent."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from synthbench.errors import OutputError, cannot_write

UNFINISHED = ".partial"
"""How the names end of files that are being written; left where a process was killed then."""
STAGING = re.compile(r"\.(staging\w+\.[0-9a-f]{6}-\d+|\w{8})\.partial")
"""The folders of `staging`; earlier versions named no process in them."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename; OutputError if that is not possible."""
    temporary = path.with_name(f".{path.name}.{_machine()}-{os.getpid()}{UNFINISHED}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        # Where nothing can be written, nothing may be deleted either.
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise cannot_write(path, error) from None
        raise


def remove_file(path: Path) -> None:
    """Delete a file if it is there; OutputError where that is not allowed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot delete {path}: {error.strerror}") from None


def make_folder(path: Path) -> None:
    """Create a folder and its parents; OutputError if it cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Without a name where the system has that: nothing stays where the process is killed.
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write to {path}: {error.strerror}; choose another folder"
        ) from None


def remove_unfinished(folder: Path, alone: bool = False) -> None:
    """Delete files that killed processes were writing into a folder; those below are left.

    alone: whether nobody else can be writing there. Otherwise files of processes of this machine
    that are gone, and those of other machines an hour later. What cannot be deleted stays, and
    harms nobody.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name.endswith(UNFINISHED) and path.name != UNFINISHED and path.is_file():
                with suppress(OSError):
                    if alone or _is_abandoned(path):
                        path.unlink()


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A hidden folder in which something is put together before it is moved to its place.

    parent: where that is, so that the move is a rename. The folder is gone afterwards, and where a
    process is killed before that, the next one to stage something there clears it away.
    """
    remove_stagings(parent)
    own = f".{_machine()}-{os.getpid()}{UNFINISHED}"
    with TemporaryDirectory(prefix=".staging", suffix=own, dir=parent) as folder:
        yield Path(folder)


def remove_stagings(parent: Path) -> None:
    """Delete the folders of `staging` whose processes are gone, and those of earlier versions.

    What cannot be deleted stays, and harms nobody.
    """
    with suppress(OSError):
        for path in parent.iterdir():
            ours = STAGING.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
            if ours and _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path: Path) -> bool:
    machine, _, process = path.name.removesuffix(UNFINISHED).rpartition(".")[2].partition("-")
    if machine == _machine() and process.isdecimal():
        return not _is_running(int(process))
    return time.time() - path.stat().st_mtime > 3600


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        # There the signal 0 ends a process.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # Another user's.
    except (PermissionError, OverflowError):
        return True
    return True


def _machine() -> str:
    """A short name, the same for all processes of a machine, in letters that any name may have."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]
