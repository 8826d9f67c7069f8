"""A record and its tables as the bytes that lie on disk."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.records.schema import Record


def record_bytes(record: Record) -> bytes:
    """A record as it lies on disk."""
    return record.model_dump_json(indent=1).encode() + b"\n"


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
