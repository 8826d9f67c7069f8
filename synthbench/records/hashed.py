"""JSON files that carry the hash of what they say, so that a change to them is found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from synthbench.contracts.frozen import Frozen
from synthbench.hashing import HASH, content_hash

OWN = "content_hash"


class Hashed(Frozen):
    """What lies in such a file; `hashed_bytes` writes it, and `was_changed` looks at it."""

    content_hash: str | None = Field(
        default=None, pattern=HASH, exclude_if=lambda value: value is None
    )
    """SHA-256 of all else in the file, as canonical JSON; null in memory and in older files."""


def hashed_bytes(record: Hashed) -> bytes:
    """A record as it lies on disk, with the hash of what it holds."""
    found = own_hash(json.loads(record.model_dump_json()))
    return record.model_copy(update={OWN: found}).model_dump_json(indent=1).encode() + b"\n"


def was_changed(content: Mapping[str, Any]) -> bool:
    """Whether the JSON of a file does not have the hash that it carries, if it carries one."""
    if content.get(OWN) is None:
        return False
    try:
        return own_hash(content) != str(content[OWN])
    except ValueError:
        # NaN or infinity, which is never written.
        return True


def own_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of what such a file holds beside this hash. Raises ValueError for NaN."""
    return content_hash({name: part for name, part in content.items() if name != OWN})
