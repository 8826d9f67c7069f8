"""SHA-256 of what must not change unnoticed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from torch import Tensor

HASH = r"^[0-9a-f]{64}$"
"""What a SHA-256 looks like."""
CHECKSUM = re.compile(rb"\nsha256 ([0-9a-f]{64})\n\Z")
"""How a file ends that carries a checksum of what comes before."""
CHECKSUM_BYTES = len("\nsha256 ") + 64 + len("\n")
CHUNK = 1 << 20


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


def checksum_line(digest: str) -> bytes:
    """The end of a file that carries a checksum; digest: SHA-256 of all before it."""
    return f"\nsha256 {digest}\n".encode()


def with_checksum(content: bytes) -> bytes:
    """Content for a file that nobody else reads: damage to it is found by `checked_content`."""
    return content + checksum_line(hashlib.sha256(content).hexdigest())


def checked_content(stored: bytes) -> bytes:
    """What `with_checksum` was given. Raises ValueError where that has changed since.

    What ends without a checksum, as earlier versions wrote it, comes back as it is.
    """
    found = CHECKSUM.search(stored[-CHECKSUM_BYTES:])
    if found is None:
        return stored
    content = stored[:-CHECKSUM_BYTES]
    if hashlib.sha256(content).hexdigest().encode() != found[1]:
        raise ValueError("the content does not match its checksum")
    return content


def is_damaged(path: Path) -> bool:
    """Whether a file carries a checksum that its content does not match; of any size."""
    with path.open("rb") as file:
        size = file.seek(0, 2) - CHECKSUM_BYTES
        if size < 0:
            return False
        file.seek(size)
        found = CHECKSUM.search(file.read())
        file.seek(0)
        return found is not None and _digest_of(file, size).encode() != found[1]


def _digest_of(file: BinaryIO, size: int) -> str:
    """SHA-256 of the next bytes of a file."""
    digest = hashlib.sha256()
    while size > 0 and (read := file.read(min(size, CHUNK))):
        digest.update(read)
        size -= len(read)
    return digest.hexdigest()
