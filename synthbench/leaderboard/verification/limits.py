"""Limits of time and memory within which strangers' models are built and trained.

A submission is data, and its numbers may ask for a network of ten million layers. So it is built
in a process of its own, which is ended when it takes too much: a limit that is asked for inside
that process could not end what runs there in C.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import cloudpickle

from synthbench.errors import SubmissionError
from synthbench.leaderboard.processes import receive, send, start_process
from synthbench.leaderboard.verification.worker import RAISED, READY, SAID, YIELDED, main
from synthbench.listeners.listener import Listener

T = TypeVar("T")
Job: TypeAlias = "Callable[[Listener], Iterator[T]]"
"""What is done: it tells a listener how far it is, and yields one result for each cell."""

BUILDING = "building its network and trying it out"
STEP_SECONDS = 300.0
POLL_SECONDS = 0.1
START_SECONDS = 600.0
"""For starting Python and importing torch, where nothing of a stranger's runs yet."""
GIBIBYTE = 2**30
SHARE = 0.75
"""Of the machine's memory, unless another limit is named."""


class LimitError(SubmissionError):
    """A submission that met a limit, or whose process ended: nothing is known of it."""


@dataclass(frozen=True)
class Limits:
    """How long one step may take, and how much memory and time all of it.

    seconds: between two signs of life: until a network is built and tried out, then for each
    block of optimizer steps and each evaluation. memory: bytes of the process; None: unlimited.
    total: seconds of the whole job; None: as long as it makes progress.
    """

    seconds: float = STEP_SECONDS
    memory: int | None = None
    total: float | None = None

    @classmethod
    def of_this_machine(cls, seconds: float = STEP_SECONDS) -> Limits:
        """With three quarters of the memory that this machine has, where it says how much."""
        try:
            own = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return cls(seconds, None)
        return cls(seconds, int(SHARE * own))


def within(limits: Limits, job: Job[T], listener: Listener) -> Iterator[T]:
    """Do a job in a process of its own; its results as they come.

    Raises LimitError where it meets a limit, with the cell, what it was doing and which limit
    that was; what the job raises where that is the user's to mend.
    """
    if limits.total is not None and limits.total <= 0:
        raise _out_of_time(limits.total)
    child = _Child(job)
    try:
        child.start()
        done, doing = 0, BUILDING
        while True:
            message = child.next_message(limits, f"cell {done + 1}: {doing}")
            if message is None:
                return
            kind, content = message
            if kind == YIELDED:
                done, doing = done + 1, BUILDING
                yield content
            elif kind == RAISED:
                raise content
            else:
                name, arguments = content
                if name in ("cell_started", "block_advanced"):
                    doing = "a step of its training"
                getattr(listener, name)(*arguments)
    finally:
        child.end()


class _Child:
    """The process, and a thread that reads what it says."""

    def __init__(self, job: Job[Any]) -> None:
        self._process = start_process(main)
        self._begun = self._checked = monotonic()
        self._messages: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, cloudpickle.dumps(job))
        except OSError:
            # It is gone, which shows when it is read.
            pass
        Thread(target=self._read, daemon=True).start()

    def start(self) -> None:
        """Wait until it is there; LimitError where it does not start."""
        message = self.next_message(Limits(START_SECONDS), "starting a process")
        if message != (READY, None):
            raise LimitError(f"a process for it did not start: {message and message[1]}")

    def next_message(self, limits: Limits, doing: str) -> tuple[str, Any] | None:
        """What it says next, None at its end."""
        begun = monotonic()
        while True:
            try:
                message = self._messages.get(timeout=POLL_SECONDS)
            except Empty:
                self._check(limits, monotonic() - begun, doing)
                continue
            if message is None:
                self._process.wait()
                if self._process.returncode:
                    raise LimitError(
                        f"{doing} ended its process (exit code {self._process.returncode}); the "
                        "system may have run out of memory: a lower --memory-gib says so first"
                    )
            elif message[0] == SAID and monotonic() - self._checked > POLL_SECONDS:
                # Who never pauses is looked at too.
                self._check(limits, 0.0, doing)
            return message

    def end(self) -> None:
        """Whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                pass

    def _check(self, limits: Limits, seconds: float, doing: str) -> None:
        self._checked = monotonic()
        used = _resident(self._process.pid)
        if limits.memory is not None and used is not None and used > limits.memory:
            raise LimitError(
                f"{doing} took more than the {limits.memory / GIBIBYTE:.3g} GiB of memory allowed "
                "(--memory-gib)"
            )
        if limits.total is not None and monotonic() - self._begun > limits.total:
            raise _out_of_time(limits.total)
        if seconds > limits.seconds:
            raise LimitError(
                f"{doing} took more than the {limits.seconds:g} s allowed for one step "
                "(--step-seconds)"
            )

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while (message := receive(self._process.stdout)) is not None:
                self._messages.put(cloudpickle.loads(message))
        # The pipe is closed while it is read, where the process is ended.
        except (OSError, ValueError):
            pass
        except Exception as error:
            self._messages.put((RAISED, error))
        self._messages.put(None)


def _out_of_time(seconds: float) -> LimitError:
    return LimitError(f"not finished within {seconds / 60:.3g} minutes")


def _resident(process: int) -> int | None:
    """Bytes that a process has in memory; None where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return None if line is None else int(line.split()[1]) * 1024
