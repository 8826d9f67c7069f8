"""Processes that read many submissions faster than one does."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from synthbench.leaderboard.processes import own_output, receive, send, start_process

T = TypeVar("T")
WORTH_A_PROCESS = 8
"""Submissions for which another process is worth its start."""


def read_side_by_side(
    read: Callable[[Path], T], folders: Sequence[Path], processes: int | None = None
) -> Iterator[T]:
    """What `read` makes of every folder, in their order; both can be pickled.

    processes: at most; None takes as many as there are cores. What one of them cannot do, because
    it is killed or lacks a class of a script, is done here.
    """
    most = (os.cpu_count() or 1) if processes is None else processes
    count = min(most, len(folders) // WORTH_A_PROCESS)
    if count < 2 or not sys.executable:
        yield from map(read, folders)
        return
    with ExitStack() as opened:
        readers: SimpleQueue[_Reader] = SimpleQueue()
        for _ in range(count):
            readers.put(opened.enter_context(_Reader(read)))

        def read_one(folder: Path) -> T:
            reader = readers.get()
            try:
                found: T = reader.read(folder)
            finally:
                readers.put(reader)
            return found

        yield from opened.enter_context(ThreadPoolExecutor(count)).map(read_one, folders)


class _Reader:
    """A process that reads one folder after the other; as a context, it is ended in the end."""

    def __init__(self, read: Callable[[Path], Any]) -> None:
        self._here = read
        self._process = start_process(serve)
        self._told = False

    def __enter__(self) -> Self:
        """The process itself, which begins to import what it needs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()

    def read(self, folder: Path) -> Any:
        """What the process makes of a folder, or this one where it does not answer."""
        try:
            answer = self._ask(folder)
        # Gone, or a class that is not there.
        except (OSError, EOFError, pickle.PickleError, AttributeError, ImportError):
            self._process.kill()
            return self._here(folder)
        return answer

    def _ask(self, folder: Path) -> Any:
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None and answers is not None
        if not self._told:
            _send(pipe, self._here)
            self._told = True
        _send(pipe, folder)
        return _receive(answers)


def serve() -> None:
    """Be such a process: take a function, then folders, and answer with what it makes of them."""
    answers, requests = own_output(), sys.stdin.buffer
    # Whatever it is, such as the end of the process that asks: that one reads, and says it.
    with suppress(Exception):
        read = _receive(requests)
        while True:
            _send(answers, read(_receive(requests)))


def _send(pipe: IO[bytes], content: object) -> None:
    send(pipe, pickle.dumps(content))


def _receive(pipe: IO[bytes]) -> Any:
    """Raises EOFError where the other side is gone."""
    message = receive(pipe)
    if message is None:
        raise EOFError
    return pickle.loads(message)
