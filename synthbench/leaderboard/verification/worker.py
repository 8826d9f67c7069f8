"""The process in which strangers' models are built and trained: one job, then it ends.

It ends with the process that started it, however that ends, because its input is closed then.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from threading import Thread
from typing import IO, TYPE_CHECKING

import cloudpickle

from synthbench.leaderboard.processes import own_output, receive, send
from synthbench.listeners.listener import Listener

if TYPE_CHECKING:
    from synthbench.listeners.listener import BlockProgress
    from synthbench.plan.cell import Cell
    from synthbench.records import Record

READY, SAID, YIELDED, RAISED = "ready", "said", "yielded", "raised"
"""Kinds of messages to the process that started it: the first of a pair."""


class Relay(Listener):
    """Passes on what a listener is told."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers

    def note(self, message: str) -> None:
        """Pass it on."""
        self._say("note", message)

    def cell_started(self, cell: Cell) -> None:
        """Pass it on."""
        self._say("cell_started", cell)

    def block_advanced(self, progress: BlockProgress) -> None:
        """Pass it on."""
        self._say("block_advanced", progress)

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Pass it on."""
        self._say("cell_finished", record, reused)

    def _say(self, name: str, *arguments: object) -> None:
        send(self._answers, cloudpickle.dumps((SAID, (name, arguments))))


def main() -> None:
    """Do the job that comes through the standard input."""
    # Ctrl-C reaches every process of a terminal; the one that started this decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = own_output()
    job = receive(sys.stdin.buffer)
    if job is None:
        return
    Thread(target=_end_with_input, daemon=True).start()
    try:
        # Unpickled first, which imports all that it needs.
        work = cloudpickle.loads(job)
        send(answers, cloudpickle.dumps((READY, None)))
        for result in work(Relay(answers)):
            send(answers, cloudpickle.dumps((YIELDED, result)))
    except Exception as error:
        send(answers, _as_message(error))
    # The thread that reads holds the standard input, for which an orderly end would wait.
    os._exit(0)


def _end_with_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


def _as_message(error: Exception) -> bytes:
    error.add_note(f"in the process of a verification:\n{traceback.format_exc()}")
    try:
        message: bytes = cloudpickle.dumps((RAISED, error))
        cloudpickle.loads(message)
    except Exception:
        message = cloudpickle.dumps((RAISED, RuntimeError(f"{type(error).__name__}: {error}")))
    return message
