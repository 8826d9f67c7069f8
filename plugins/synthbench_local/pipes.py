"""Whole messages through the pipes between a process and its workers."""

from __future__ import annotations

import struct
from typing import BinaryIO

LENGTH = struct.Struct("<Q")


def send(pipe: BinaryIO, message: bytes) -> None:
    """Write a message."""
    pipe.write(LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """The next message; None once the other side is gone, in the middle of one too."""
    header = _exactly(pipe, LENGTH.size)
    return None if header is None else _exactly(pipe, LENGTH.unpack(header)[0])


def _exactly(pipe: BinaryIO, size: int) -> bytes | None:
    found = pipe.read(size)
    return found if len(found) == size else None
