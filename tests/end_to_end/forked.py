"""Commands in processes of their own that start at once.

Each is forked from a server that has imported what a command needs and done nothing else: a
whole process, to be killed and interrupted, without the seconds that importing torch takes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from synthbench.cli.main import main

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["synthbench.cli.main", "synthbench.evaluation.evaluate"])


def nothing() -> None:
    """Before a command that is left alone."""


@dataclass(frozen=True)
class Forked:
    """A `synthbench` command in a process; log: what it prints."""

    process: BaseProcess
    log: Path

    @classmethod
    def start(
        cls, arguments: Sequence[str], log: Path, before: Callable[[], None] = nothing
    ) -> Forked:
        """Start one; before: done first in its process, a function that can be pickled."""
        process = FORKING.Process(target=run, args=(arguments, log, before), daemon=True)
        process.start()
        return cls(process, log)

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.exitcode is None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 300) -> int:
        """Wait for its end and return the exit code, which is negative for a signal."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still running after {seconds} s"
        return self.process.exitcode

    def printed(self) -> str:
        """What it has printed so far, errors included."""
        return self.log.read_text()


def run(arguments: Sequence[str], log: Path, before: Callable[[], None]) -> None:
    """Be the command: in the process that was forked."""
    # Ignored where the tests themselves run in the background of a shell, and inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.argv = ["synthbench", *arguments]
    before()
    main()
