"""How a command ends that was asked to: what to do is said, and the exit code says who asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from synthbench.isolation.termination import Terminated, terminable

INTERRUPTED, TERMINATED = 130, 143
"""128 and the number of the signal, as shells have it."""


@contextmanager
def continued_by_the_same_command(say: Callable[[str], object]) -> Iterator[None]:
    """End on Ctrl-C or SIGTERM with a line that says how to continue."""
    try:
        with terminable():
            yield
    except KeyboardInterrupt as stop:
        terminated = isinstance(stop, Terminated)
        word = "terminated" if terminated else "interrupted"
        say(f"{word}; the same command continues where it stopped")
        raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None
