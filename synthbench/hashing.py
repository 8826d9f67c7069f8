"""SHA-256 of what must not change unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

HASH = r"^[0-9a-f]{64}$"
"""What a SHA-256 looks like."""


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of JSON values in canonical form (sorted keys, no spaces).

    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensor_hash(tensors: Sequence[Tensor]) -> str:
    """SHA-256 of tensors on CPU: their types, shapes and numbers."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
