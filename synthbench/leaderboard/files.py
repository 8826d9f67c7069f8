"""A submission's files: which may be there, how large, and read without trust."""

from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.errors import RecordError, SubmissionError
from synthbench.leaderboard.submission import SUBMISSION_FILE, cell_folder
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE
from synthbench.trajectories import INDEX, Trajectories

LARGEST = {
    SUBMISSION_FILE: 4 * 2**20,
    RECORD_FILE: 16 * 2**20,
    TRAJECTORIES_FILE: 64 * 2**20,
}
"""Bytes a file may have."""
MOST_COLUMNS = 200
"""Columns of trajectories."""


def check_files(folder: Path, cells: int) -> None:
    """Raise unless the folder holds exactly the files of a submission to `cells` cells.

    No links, nothing else, nothing too large: SubmissionError names the first that is wrong.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise SubmissionError(f"{folder} is not a folder with a submission")
    expected = {folder / SUBMISSION_FILE: LARGEST[SUBMISSION_FILE]}
    folders = [cell_folder(folder, number) for number in range(1, cells + 1)]
    for cell in folders:
        for name in (RECORD_FILE, TRAJECTORIES_FILE):
            expected[cell / name] = LARGEST[name]
    _check_listing(folder, {folder / SUBMISSION_FILE, *folders})
    for cell in folders:
        if cell.is_symlink() or not cell.is_dir():
            raise SubmissionError(f"{cell.name} is missing or not a folder: every cell is needed")
        _check_listing(cell, {cell / RECORD_FILE, cell / TRAJECTORIES_FILE})
    for path, most in expected.items():
        _check_file(path, folder, most)


def _check_listing(folder: Path, allowed: set[Path]) -> None:
    for path in sorted(folder.iterdir()):
        if path not in allowed:
            raise SubmissionError(f"unexpected file {path.name!r} in {folder.name}")


def _check_file(path: Path, folder: Path, most: int) -> None:
    name = path.relative_to(folder)
    try:
        status = path.lstat()
    except OSError:
        raise SubmissionError(f"{name} is missing") from None
    if not stat.S_ISREG(status.st_mode):
        raise SubmissionError(f"{name} is not an ordinary file")
    if status.st_size > most:
        raise SubmissionError(f"{name} has {status.st_size:,} bytes, at most {most:,} are allowed")


def read_trajectories(path: Path, most_rows: int) -> Trajectories:
    """Read a parquet file that may claim anything: its claims are checked before its data.

    most_rows: what the protocol allows. Raises SubmissionError.
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_claims(file, most_rows)
        return Trajectories.read(path)
    except (OSError, pa.ArrowException, MemoryError, OverflowError, UnicodeDecodeError):
        raise SubmissionError(f"{path.name} is not a readable parquet file") from None
    except RecordError as error:
        raise SubmissionError(str(error).replace(str(path), path.name)) from None


def _check_claims(file: pq.ParquetFile, most_rows: int) -> None:
    claims = file.metadata
    if not 0 < claims.num_rows <= most_rows:
        raise SubmissionError(
            f"{TRAJECTORIES_FILE} claims {claims.num_rows:,} rows, the protocol allows "
            f"1 to {most_rows:,}"
        )
    if claims.num_columns > MOST_COLUMNS:
        raise SubmissionError(
            f"{TRAJECTORIES_FILE} has {claims.num_columns} columns, at most {MOST_COLUMNS} are "
            "allowed"
        )
    groups = [claims.row_group(index) for index in range(min(claims.num_row_groups, most_rows))]
    # Eight bytes a value, twice that for encodings and levels.
    room = 16 * claims.num_columns * claims.num_rows + 2**20
    columns = [group.column(i) for group in groups for i in range(group.num_columns)]
    if sum(column.total_uncompressed_size for column in columns) > room:
        raise SubmissionError(f"{TRAJECTORIES_FILE} unpacks to more than {room:,} bytes")
    schema = file.schema_arrow
    if len(set(schema.names)) < len(schema.names):
        raise SubmissionError(f"{TRAJECTORIES_FILE} has two columns of one name")
    for field in schema:
        kind = pa.int64() if field.name in INDEX else pa.float64()
        if field.type != kind:
            raise SubmissionError(
                f"{TRAJECTORIES_FILE}: column {field.name!r} must be {kind}, is {field.type}"
            )
