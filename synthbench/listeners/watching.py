"""Who hears of an evaluation when nobody was named: a person who watches, or a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synthbench.listeners.listener import Listener, Silent
from synthbench.listeners.log import LogListener
from synthbench.listeners.notebook import NotebookListener
from synthbench.listeners.terminal import TerminalListener


@contextmanager
def watching(chosen: Listener | None = None) -> Iterator[Listener]:
    """The chosen listener or, without one, progress where a person can see it.

    In a notebook bars below the cell, in a terminal bars on stderr, elsewhere a line on stderr
    every half minute and at the end of each cell.
    """
    if chosen is not None:
        yield chosen
    elif in_notebook():
        with NotebookListener() as notebook:
            yield notebook
    elif sys.stderr is None:
        yield Silent()
    elif sys.stderr.isatty():
        with TerminalListener() as terminal:
            yield terminal
    else:
        yield LogListener(sys.stderr)


def in_notebook() -> bool:
    """Whether output goes to a Jupyter front end, which can show HTML and change it later."""
    # Imported here would be imported in every script; where it is not yet, there is no kernel.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    # Colab's shell derives from the kernel's.
    return shell is not None and any(
        cls.__name__ == "ZMQInteractiveShell" for cls in type(shell).__mro__
    )
