"""How a record names the suite it was planned from."""

from __future__ import annotations

from pydantic import Field

from synthbench.contracts.frozen import Frozen
from synthbench.hashing import HASH


class SuiteReference(Frozen):
    """The suite a cell was planned from."""

    name: str
    version: int
    hash: str = Field(pattern=HASH)
    """SHA-256 of what the suite fixes: `Suite.hash`."""
