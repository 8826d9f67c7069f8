"""Jobs for a process of their own, in a module that imports nothing: it starts at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.listeners.listener import Listener


def answering(listener: Listener) -> Iterator[int]:
    print("what a network prints is no answer")
    listener.note(str(os.getpid()))
    yield 1
    listener.note("between")
    yield 2


def waiting(listener: Listener) -> Iterator[int]:
    listener.note(str(os.getpid()))
    yield 1
    time.sleep(60)


def growing(listener: Listener) -> Iterator[int]:
    kept = []
    for _ in range(70):
        # Written to, so that it takes memory.
        kept.append(bytearray(b"1") * 2**22)
        listener.note("alive")
        yield 0
    # It never pauses for as long as it is waited for.
    for _ in range(10**5):
        listener.note("alive")


def failing(listener: Listener) -> Iterator[int]:
    raise ConfigurationError("a mistake of the caller's")
    yield


def dying(listener: Listener) -> Iterator[int]:
    os._exit(7)
    yield
