"""A submission's files: which may be there, how large, and read without trust."""

from __future__ import annotations

import json
import os
import stat
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.parquet_claims import (
    FileClaims,
    footer_of,
    read_claims,
    unpacked_bytes,
)
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE, cell_folder
from synthbench.metrics.arrow_columns import is_curve
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE

FRESH_FILE = "fresh.json"
"""What a verifier found on fresh seeds; not part of what is submitted."""
LARGEST = {
    FRESH_FILE: 4 * 2**20,
    SUBMISSION_FILE: 4 * 2**20,
    RECORD_FILE: 4 * 2**20,
    TRAJECTORIES_FILE: 64 * 2**20,
}
"""Bytes a file may have."""
MOST_VALUES = 200_000
"""Values of a JSON file; each takes a hundred bytes of memory or more."""
LONGEST_NUMBER = 40
"""Characters of a number in a JSON file."""
MOST_COLUMNS, MOST_GROUPS = 200, 100
"""Columns and row groups of trajectories."""
MOST_PLACES = 1024
"""Numbers in one row of all columns together: a curve is a column with one for each place."""
LARGEST_FOOTER = 2**18
"""Bytes of parquet metadata, which unpack to a hundred times their size."""


def check_files(folder: Path, cells: int) -> None:
    """Raise unless the folder holds exactly the files of a submission to `cells` cells.

    And of a verifier, at most one file.

    No links, nothing else, nothing too large: SubmissionError names the first that is wrong.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise SubmissionError(f"{folder} is not a folder with a submission")
    expected = {folder / SUBMISSION_FILE: LARGEST[SUBMISSION_FILE]}
    folders = [cell_folder(folder, number) for number in range(1, cells + 1)]
    for cell in folders:
        for name in (RECORD_FILE, TRAJECTORIES_FILE):
            expected[cell / name] = LARGEST[name]
    _check_listing(folder, {SUBMISSION_FILE, FRESH_FILE, *(cell.name for cell in folders)})
    for cell in folders:
        if cell.is_symlink() or not cell.is_dir():
            raise SubmissionError(f"{cell.name} is missing or not a folder: every cell is needed")
        _check_listing(cell, {RECORD_FILE, TRAJECTORIES_FILE})
    for path, most in expected.items():
        check_file(path, folder, most)


def _check_listing(folder: Path, allowed: set[str]) -> None:
    # Names and not paths, which Windows compares without regard to case.
    unexpected = set(os.listdir(folder)) - allowed  # noqa: PTH208
    if unexpected:
        raise SubmissionError(f"unexpected file {min(unexpected)!r} in {folder.name}")


def check_file(path: Path, folder: Path, most: int) -> None:
    """Raise unless it is an ordinary file of at most `most` bytes."""
    name = path.relative_to(folder).as_posix()
    try:
        status = path.lstat()
    except OSError:
        raise SubmissionError(f"{name} is missing") from None
    if not stat.S_ISREG(status.st_mode):
        raise SubmissionError(f"{name} is not an ordinary file")
    if status.st_size > most:
        raise SubmissionError(f"{name} has {status.st_size:,} bytes, at most {most:,} are allowed")


def read_json(path: Path) -> str:
    """The text of a JSON file in which every reader sees the same.

    Raises SubmissionError for what is not JSON, a key that is given twice, NaN, infinity, numbers
    too long to be one, and too many values.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if sum(map(text.count, "[{,")) > MOST_VALUES:
            raise SubmissionError(f"more than {MOST_VALUES:,} values")
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_number,
            parse_float=_number,
            parse_int=_number,
        )
        # Half a surrogate pair is no character: some readers take it, others do not.
        json.dumps(value, ensure_ascii=False).encode()
    except SubmissionError as error:
        raise SubmissionError(f"{path.name}: {error}") from None
    except (OSError, ValueError, RecursionError):
        raise SubmissionError(f"{path.name} is not valid JSON") from None
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SubmissionError(f"{key!r} is given twice")
        found[key] = value
    return found


def _number(text: str) -> float:
    if len(text) > LONGEST_NUMBER or not isfinite(value := float(text)):
        raise SubmissionError("a number that is not finite or far too long")
    return value


def read_trajectories(path: Path, most_rows: int) -> Trajectories:
    """Read a parquet file that may claim anything: its claims are checked before its data.

    most_rows: what the protocol allows. Raises SubmissionError.
    """
    try:
        content = memoryview(path.read_bytes())
        footer = footer_of(content)
        if len(footer) > LARGEST_FOOTER:
            raise SubmissionError(f"metadata of more than {LARGEST_FOOTER:,} bytes")
        claims = read_claims(footer)
        _check_claims(claims, most_rows)
        _check_pages(claims, content)
        with pq.ParquetFile(pa.BufferReader(content), pre_buffer=False) as file:
            _check_schema(file.schema_arrow, claims)
            return Trajectories(file.read(use_threads=False))
    except SubmissionError as error:
        raise SubmissionError(f"{path.name}: {error}") from None
    except (OSError, pa.ArrowException, MemoryError, ValueError):
        raise SubmissionError(f"{path.name} is not a readable parquet file") from None


def _check_claims(claims: FileClaims, most_rows: int) -> None:
    rows = [claims.rows, *(rows for rows, _ in claims.groups)]
    if not 0 < rows[0] <= most_rows or min(rows) < 0 or sum(rows) != 2 * rows[0]:
        raise SubmissionError(f"claims {max(rows):,} rows, the protocol allows 1 to {most_rows:,}")
    if len(claims.groups) > MOST_GROUPS:
        raise SubmissionError(
            f"{len(claims.groups):,} row groups, at most {MOST_GROUPS} are allowed"
        )
    for rows_here, columns in claims.groups:
        if len(columns) > MOST_COLUMNS:
            raise SubmissionError(f"{len(columns):,} columns, at most {MOST_COLUMNS} are allowed")
        values = [column.values for column in columns]
        if not all(_fills(count, rows_here) for count in values):
            raise SubmissionError("a column that is not one value a row, nor as many in each")
        if sum(values) > MOST_PLACES * rows_here:
            raise SubmissionError(f"more than {MOST_PLACES:,} numbers in a row")


def _fills(values: int, rows: int) -> bool:
    """Whether there are one or more values for each row, as many for each."""
    return values >= rows and values % rows == 0 if rows else values == 0


def _check_pages(claims: FileClaims, content: memoryview) -> None:
    columns = [column for _, columns in claims.groups for column in columns]
    if any(
        min(column.start, column.length) < 0 or column.start + column.length > len(content)
        for column in columns
    ):
        raise ValueError("a column outside the file")
    if sum(column.length for column in columns) > len(content):
        raise SubmissionError("columns that share their data")
    # Eight bytes a value, twice that for encodings and levels.
    room = 16 * sum(column.values for column in columns) + 2**20
    unpacked = 0
    for column in columns:
        unpacked += unpacked_bytes(content[column.start : column.start + column.length])
        if unpacked > room:
            raise SubmissionError(f"unpacks to more than {room:,} bytes")


def _check_schema(schema: pa.Schema, claims: FileClaims) -> None:
    if schema.metadata is not None:
        raise SubmissionError("metadata beside the columns")
    if len(set(schema.names)) < len(schema.names):
        raise SubmissionError("two columns of one name")
    if any(len(columns) != len(schema.names) for _, columns in claims.groups):
        raise SubmissionError("a row group without some of the columns")
    for number, field in enumerate(schema):
        kind = pa.int64() if field.name in INDEX else pa.float64()
        places = 1
        if is_curve(field.type) and field.name not in INDEX:
            places = field.type.list_size
            kind = pa.list_(pa.float64(), places)
        if field.type != kind:
            raise SubmissionError(f"column {field.name!r} must be {kind}, is {field.type}")
        if any(columns[number].values != places * rows for rows, columns in claims.groups):
            raise SubmissionError(f"column {field.name!r} does not have {places} values a row")
