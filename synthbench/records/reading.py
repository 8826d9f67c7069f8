"""Reading a record back, trusting nothing."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from synthbench.errors import RecordError, first_mistake
from synthbench.hashing import content_hash, file_hash
from synthbench.records.hashed import was_changed
from synthbench.records.schema import Record

SCHEMA_VERSION = 2
RECORD_FILE = "record.json"
TRAJECTORIES_FILE = "trajectories.parquet"
WEIGHTS_FILE = "weights.safetensors"
"""Weights of every replica at its last evaluation."""
CHECKPOINTS_FILE = "checkpoints.safetensors"
"""Weights at earlier evaluations, under `STEP/NAME`."""
STATE_FILE = "state.safetensors"
"""Where the replicas stood whose budget ended first: weights, and the optimizer's state."""
DATA_FILES = (TRAJECTORIES_FILE, WEIGHTS_FILE, CHECKPOINTS_FILE, STATE_FILE)


def read_record(folder: Path | str) -> Record:
    """Read and check the record in a run folder.

    Raises RecordError when it is missing, is not valid JSON, does not match the schema, or
    when the plan, a data file or the record itself does not match its hash. A record of an
    earlier version has no hash of itself.
    """
    path = Path(folder) / RECORD_FILE
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise RecordError(f"{path} is not valid JSON; {_advice()}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"{path} has schema version {version!r}, this release reads {SCHEMA_VERSION}; "
            f"{_advice()}"
        )
    try:
        # Strict: a number in quotes is not a number.
        record = Record.model_validate_json(text, strict=True)
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise RecordError(f"{path}: {where}: {message}; {_advice()}") from None
    if _plan_hash(record) != record.plan_hash:
        raise RecordError(f"{path}: plan_hash does not match the plan; {_advice()}")
    _check_files(path, record)
    if was_changed(content):
        raise RecordError(f"{path} was changed after it was written; {_advice()}")
    return record.model_copy(update={"content_hash": None})


def _plan_hash(record: Record) -> str | None:
    try:
        return content_hash(record.plan)
    except ValueError:
        # NaN or infinity, which a plan cannot hold.
        return None


def _check_files(path: Path, record: Record) -> None:
    if TRAJECTORIES_FILE not in record.files:
        raise RecordError(f"{path}: files does not list {TRAJECTORIES_FILE}; {_advice()}")
    for name, expected in record.files.items():
        if name not in DATA_FILES:
            raise RecordError(f"{path}: unexpected file {name!r}; {_advice()}")
        try:
            found = file_hash(path.parent / name)
        except OSError as error:
            raise RecordError(f"{path.parent / name}: {error.strerror}; {_advice()}") from None
        if found != expected:
            raise RecordError(f"{path.parent / name} does not match its hash; {_advice()}")


def _advice() -> str:
    return "move it away, or train again with --no-resume"
