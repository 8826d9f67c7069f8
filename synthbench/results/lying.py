"""The finished cells that lie in a folder, and what there cannot be read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthbench.errors import RecordError
from synthbench.records import read_record
from synthbench.records.atomic import UNFINISHED
from synthbench.records.reading import RECORD_FILE
from synthbench.results.measured_cell import MeasuredCell


@dataclass(frozen=True)
class Unreadable:
    """A folder that is left out, and why.

    error: of its record, or of the folder itself, in which further cells may lie.
    """

    folder: Path
    error: RecordError

    def __str__(self) -> str:
        """One line, with what to do."""
        return f"left out: {self.folder}: {self.error}"


class UnreadableCellWarning(UserWarning):
    """A cell that cannot be read is left out of what is shown."""


def warn_of(unreadable: Unreadable, stacklevel: int = 4) -> None:
    """Python's warning of a folder that is left out: for whoever calls from a script.

    stacklevel: how far up that is; by default two calls above who calls this.
    """
    warnings.warn(str(unreadable), UnreadableCellWarning, stacklevel=stacklevel)


def _refuse(unreadable: Unreadable) -> None:
    raise unreadable.error


def read_cells(
    folder: Path | str, leave_out: Callable[[Unreadable], object] = _refuse
) -> list[MeasuredCell]:
    """Every finished cell in a folder, those too that others hold whole.

    leave_out: told of each that cannot be read, which keeps no other from being read; by
    default the first one raises. Raises RecordError where there is none, or none that can be read.
    """
    root = Path(folder)
    cells, unreadable = _lying_in(root)
    if not cells and unreadable:
        raise unreadable[0].error
    if not cells:
        raise RecordError(
            f"no finished cell in {root}; name a folder that `synthbench eval` has written"
        )
    for each in unreadable:
        leave_out(each)
    return cells


def readable(folders: list[Path], leave_out: Callable[[Unreadable], object]) -> list[MeasuredCell]:
    """The cells of these folders; leave_out: told of each that cannot be read."""
    found = []
    for folder in folders:
        try:
            found.append(MeasuredCell(read_record(folder), folder))
        except RecordError as error:
            leave_out(Unreadable(folder, error))
    return found


def _lying_in(root: Path) -> tuple[list[MeasuredCell], list[Unreadable]]:
    """In the order of their paths."""
    unreadable: list[Unreadable] = []

    def closed(error: OSError) -> None:
        place = Path(error.filename)
        reason = f"{error.strerror}; make it readable, or move it away"
        unreadable.append(Unreadable(place, RecordError(f"cannot read {place}: {reason}")))

    folders = []
    for folder, below, files in os.walk(root, onerror=closed) if root.is_dir() else ():
        # What a killed merge has put together is not finished.
        below[:] = [name for name in below if not name.endswith(UNFINISHED)]
        if RECORD_FILE in files:
            folders.append(Path(folder))
    return readable(sorted(folders), unreadable.append), unreadable
