"""A record and its tables as the bytes that lie on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.hashing import content_hash
from synthbench.records.schema import Record

OWN = "content_hash"


def record_bytes(record: Record) -> bytes:
    """A record as it lies on disk, with the hash of what it holds."""
    found = own_hash(json.loads(record.model_dump_json()))
    hashed = record.model_copy(update={OWN: found})
    return hashed.model_dump_json(indent=1).encode() + b"\n"


def own_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of what `record.json` holds beside this hash. Raises ValueError for NaN."""
    return content_hash({name: part for name, part in content.items() if name != OWN})


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
