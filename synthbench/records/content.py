"""A record and its tables as the bytes that lie on disk."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.records.hashed import hashed_bytes
from synthbench.records.schema import Record


def record_bytes(record: Record) -> bytes:
    """A record as it lies on disk, with the hash of what it holds."""
    return hashed_bytes(record)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
