"""Measured rows on disk: a folder for each configuration, a record and a table in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from synthbench.contracts.measurement import Measurement
from synthbench.errors import RecordError, first_mistake
from synthbench.hashing import content_hash, file_hash
from synthbench.measurements.record import MeasurementRecord
from synthbench.records.atomic import make_folder, remove_file, write_atomically
from synthbench.records.content import parquet_bytes
from synthbench.records.hashed import hashed_bytes, was_changed

RECORD_FILE = "measurement.json"
SEED = "seed"
"""The column that every table of rows has."""
ADVICE = "move it away, or measure again with --no-resume"
Row: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """A configuration with its rows: one for each seed of the record, in that order."""

    record: MeasurementRecord
    rows: tuple[Row, ...]

    def of(self, seeds: Sequence[int]) -> dict[int, Row]:
        """The rows of those seeds that there are."""
        found = dict(zip(self.record.seeds, self.rows, strict=True))
        return {seed: found[seed] for seed in seeds if seed in found}


def folder_of(grid: Path, measurement: Measurement) -> Path:
    """Where a configuration lies in the folder of its grid."""
    return grid / f"{measurement.name}-{content_hash(measurement.describe())[:12]}"


def write_measured(folder: Path, rows: Mapping[int, Row], record: MeasurementRecord) -> Measured:
    """Write rows by seed, then the record that names them; raises OutputError.

    record: its seeds and the hash of the rows are set here.
    """
    seeds = sorted(rows)
    names = dict.fromkeys(name for seed in seeds for name in rows[seed])
    columns = {name: [rows[seed].get(name, float("nan")) for seed in seeds] for name in names}
    content = parquet_bytes(pa.table({SEED: pa.array(seeds, pa.int64()), **columns}))
    make_folder(folder)
    # Under another name the table that the earlier record names stays whole until this one does.
    fresh = folder / "fresh.parquet"
    write_atomically(fresh, content)
    digest = file_hash(fresh)
    fresh.replace(_table(folder, digest))
    whole = record.model_copy(update={"seeds": tuple(seeds), "rows": digest})
    write_atomically(folder / RECORD_FILE, hashed_bytes(whole))
    for path in folder.glob("rows-*.parquet"):
        if path != _table(folder, digest):
            remove_file(path)
    return Measured(whole, tuple(rows[seed] for seed in seeds))


def read_measured(folder: Path) -> Measured | None:
    """What lies in the folder of a configuration; None where nothing does.

    Raises RecordError for a record that is none, or that does not match its hash or its table's.
    """
    path = folder / RECORD_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        record = MeasurementRecord.model_validate(content)
        if was_changed(content):
            raise RecordError(f"{path} was changed after it was written; {ADVICE}")
        record = record.model_copy(update={"content_hash": None})
        table = _table(folder, record.rows)
        if file_hash(table) != record.rows:
            raise RecordError(f"{table} does not match its hash; {ADVICE}")
        columns = pq.read_table(table).to_pydict()
    except FileNotFoundError as error:
        if Path(error.filename) == path:
            return None
        raise RecordError(f"{path} names rows that are not there; {ADVICE}") from None
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise RecordError(f"{path}: {where}: {message}; {ADVICE}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise RecordError(f"{path} is not valid JSON; {ADVICE}") from None
    if tuple(columns.pop(SEED, ())) != record.seeds:
        raise RecordError(f"{path} has other seeds than its rows; {ADVICE}")
    count = range(len(record.seeds))
    return Measured(record, tuple({n: each[i] for n, each in columns.items()} for i in count))


def _table(folder: Path, digest: str) -> Path:
    return folder / f"rows-{digest[:12]}.parquet"
