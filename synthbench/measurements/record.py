"""What lies beside the rows of a measurement: of what they are, and where they come from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from synthbench.hashing import HASH
from synthbench.records.hashed import Hashed
from synthbench.records.schema import Environment


class MeasurementRecord(Hashed):
    """One configuration of a measurement, with its rows in a file of their own."""

    schema_version: Literal[1] = 1
    label: str
    """The reference that makes it again."""
    measurement: dict[str, Any]
    """What `describe()` says of it."""
    seeds: tuple[int, ...]
    """Of the rows, in their order."""
    seconds: float = Field(ge=0)
    """That measuring took, over all sessions."""
    code: str = Field(pattern=HASH)
    """Fingerprint of the source of its class, with what that imports of its package."""
    environment: Environment
    """Of the session that measured last."""
    rows: str = Field(pattern=HASH)
    """SHA-256 of the file with the rows."""
