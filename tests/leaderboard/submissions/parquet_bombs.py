"""Parquet files that lie: edited footers and page headers, in Thrift's compact protocol."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.leaderboard.submissions.thrift import Kind, Struct, read_struct
from synthbench.metrics.trajectories import INDEX

SCORES = (
    "accuracy",
    "loss",
    "progress",
    "weight-movement/linf",
    "weight-movement/l2",
    "train_loss",
)


def zeros(rows: int) -> pa.Table:
    """A table with the right columns, that compresses to next to nothing."""
    index = {name: pa.array([0] * rows, pa.int64()) for name in INDEX}
    return pa.table(index | {name: pa.array([0.0] * rows) for name in SCORES})


def packed(table: pa.Table, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **{"compression": "zstd", **options})
    return bytes(sink.getvalue())


def varint(value: int, length: int = 0) -> bytes:
    """A signed number in zigzag form, stretched to a length: leading zeros are allowed."""
    return varint_of_length(value << 1 if value >= 0 else -2 * value - 1, length)


def varint_of_length(raw: int, length: int = 0) -> bytes:
    """A number that has no sign."""
    found: list[int] = []
    while raw or len(found) < max(length, 1):
        found.append(raw & 0x7F | 0x80)
        raw >>= 7
    found[-1] &= 0x7F
    return bytes(found)


def claim(content: bytes, old: int, new: int) -> bytes:
    """The file with another number in its footer, everywhere."""
    start = footer(content)
    was = varint(old)
    changed = content[start:].replace(was, varint(new, len(was)))
    assert changed != content[start:] and len(changed) == len(content) - start
    return content[:start] + changed


def rewritten(content: bytes, old: bytes, new: bytes) -> bytes:
    """The file with other bytes in its footer, once."""
    start = footer(content)
    changed = content[start:-8].replace(old, new, 1)
    assert changed != content[start:-8]
    return content[:start] + changed + len(changed).to_bytes(4, "little") + content[-4:]


def encode(struct: Struct) -> bytes:
    """A struct in the compact protocol, as `read_struct` reads it."""
    found, last = b"", 0
    for number, (kind, value) in sorted(struct.items()):
        found += bytes([(number - last) << 4 | kind])
        found += b"" if kind in (Kind.TRUE, Kind.FALSE) else _encode(kind, value)
        last = number
    return found + b"\0"


def _encode(kind: Kind, value: object) -> bytes:
    if kind is Kind.STRUCT:
        return encode(value)
    if kind is Kind.BINARY:
        return varint_of_length(len(value)) + value
    if kind is not Kind.LIST:
        return value if isinstance(value, bytes) else varint(value)
    own = {dict: Kind.STRUCT, bytes: Kind.BINARY}.get(type(value[0]) if value else None, Kind.INT)
    return (
        bytes([0xF0 | own])
        + varint_of_length(len(value))
        + b"".join(_encode(own, item) for item in value)
    )


def with_footer(content: bytes, change: Callable[[Struct], object]) -> bytes:
    """The file with its metadata changed: fields are (type, value) by their numbers."""
    start = footer(content)
    struct, _ = read_struct(memoryview(content)[start:])
    assert encode(struct) != b"\0"
    change(struct)
    changed = encode(struct)
    return content[:start] + changed + len(changed).to_bytes(4, "little") + content[-4:]


def footer(content: bytes) -> int:
    """Where the metadata begin."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def modest(content: bytes, rows: int) -> bytes:
    """The file with metadata that claim few rows, few values and few bytes."""
    claims = pq.read_metadata(pa.BufferReader(content))
    columns = [claims.row_group(0).column(i) for i in range(claims.num_columns)]
    for size in {claims.num_rows, *(c.total_uncompressed_size for c in columns)}:
        content = claim(content, size, rows)
    return content


def one_page(content: bytes, size: int) -> bytes:
    """The file with another unpacked size in the header of its first page."""
    was = pq.read_metadata(pa.BufferReader(content)).row_group(0).column(0)
    start = was.dictionary_page_offset if was.has_dictionary_page else was.data_page_offset
    # Field 1 is the type of the page, field 2 the size: both i32, each one further.
    assert content[start] == content[start + 2] == 0x15
    stop = start + 3
    while content[stop] & 0x80:
        stop += 1
    old = content[start + 3 : stop + 1]
    new = varint(size, len(old))
    assert len(new) == len(old)
    return content[: start + 3] + new + content[stop + 1 :]


def shared(columns: int, rows: int) -> bytes:
    """Many columns whose metadata all point at the data of the first."""
    noise = pa.array(np.random.default_rng(0).normal(size=rows))
    table = pa.table({f"weight-movement/{i}": noise for i in range(columns)})
    content = packed(table, use_dictionary=False, write_statistics=False)
    group = pq.read_metadata(pa.BufferReader(content)).row_group(0)
    starts = [group.column(i).data_page_offset for i in range(columns)]
    length = group.column(0).total_compressed_size
    head, tail = content[: starts[0] + length], content[footer(content) :]
    for start in starts[1:]:
        was = varint(start)
        tail = tail.replace(b"\x26" + was, b"\x26" + varint(starts[0], len(was)))
    return head + tail
