"""A Python process beside this one, and the messages between the two.

It is no child that `multiprocessing` starts, which would run a script again that has no `__main__`
guard.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import IO

LENGTH = 8
"""Bytes before each message, which hold its length."""


def start_process(main: Callable[[], None]) -> subprocess.Popen[bytes]:
    """Run a function of a module in a process of its own, with pipes to and from it."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from {main.__module__} import {main.__name__}; {main.__name__}()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def own_output() -> IO[bytes]:
    """In such a process: its output for answers alone; what is printed goes to the errors."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def send(pipe: IO[bytes], message: bytes) -> None:
    """Write a message, with its length before it."""
    pipe.write(len(message).to_bytes(LENGTH, "little") + message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The next message; None where the other side is gone."""
    head = pipe.read(LENGTH)
    if len(head) < LENGTH:
        return None
    length = int.from_bytes(head, "little")
    message = pipe.read(length)
    return message if len(message) == length else None
