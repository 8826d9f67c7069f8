"""What a parquet file claims of itself, read before its reader allocates anything.

pyarrow ends the whole process where some metadata contradict one another, so they are read here.
And memory is taken for what each page's own header says, whatever the metadata say: a page of a
few kilobytes can be compressed from gigabytes.
Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.leaderboard.submissions.thrift import Kind, Struct, field, read_struct, required

MAGIC = b"PAR1"


@dataclass(frozen=True)
class ColumnClaims:
    """The pages of one column in one row group: where they lie, how many values they hold."""

    start: int
    length: int
    values: int


@dataclass(frozen=True)
class FileClaims:
    """Rows of the file, and of each row group its rows and its columns."""

    rows: int
    groups: tuple[tuple[int, tuple[ColumnClaims, ...]], ...]


def footer_of(content: memoryview) -> memoryview:
    """The metadata at the end of a file; ValueError where it is no parquet file, or encrypted."""
    if len(content) < 12 or content[:4] != MAGIC or content[-4:] != MAGIC:
        raise ValueError("no parquet file")
    length = int.from_bytes(content[-8:-4], "little")
    if length > len(content) - 12:
        raise ValueError("metadata larger than the file")
    return content[len(content) - 8 - length : len(content) - 8]


def read_claims(footer: memoryview) -> FileClaims:
    """What the metadata say; ValueError where they cannot be read in one way alone."""
    file, _ = read_struct(footer)
    groups = []
    for group in required(file, 4, Kind.LIST):
        columns = tuple(_column(chunk) for chunk in required(group, 1, Kind.LIST))
        groups.append((required(group, 3, Kind.LONG), columns))
    return FileClaims(required(file, 3, Kind.LONG), tuple(groups))


def _column(chunk: Struct) -> ColumnClaims:
    if field(chunk, 1, Kind.BINARY) is not None:
        raise ValueError("a column in another file")
    claims = required(chunk, 3, Kind.STRUCT)
    start = required(claims, 9, Kind.LONG)
    dictionary = field(claims, 11, Kind.LONG)
    if dictionary is not None and 0 < dictionary < start:
        start = dictionary
    return ColumnClaims(start, required(claims, 7, Kind.LONG), required(claims, 5, Kind.LONG))


def unpacked_bytes(pages: memoryview) -> int:
    """Bytes that pages unpack to, by their own headers.

    Raises ValueError where there is anything but headers and their pages.
    """
    total = position = 0
    while position < len(pages):
        header, position = read_struct(pages, position)
        unpacked, packed = (required(header, number, Kind.INT) for number in (2, 3))
        if min(unpacked, packed) < 0:
            raise ValueError("a page of negative size")
        total += unpacked
        position += packed
    if position != len(pages):
        raise ValueError("a page that goes on after its column")
    return total
