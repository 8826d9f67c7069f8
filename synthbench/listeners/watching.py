"""Who hears of an evaluation when nobody was named: a person who watches, or a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synthbench.listeners.listener import Listener, Silent
from synthbench.listeners.notebook import NotebookListener
from synthbench.listeners.notes import NotesListener
from synthbench.listeners.terminal import TerminalListener


@contextmanager
def watching(chosen: Listener | None, cells: int) -> Iterator[Listener]:
    """The chosen listener or, without one, progress where a person can see it.

    cells: how many will be evaluated. In a notebook a bar below the cell, in a terminal one on
    stderr, elsewhere notes alone, a line of stderr each.
    """
    if chosen is not None:
        yield chosen
    elif in_notebook():
        with NotebookListener(cells) as notebook:
            yield notebook
    elif sys.stderr is None:
        yield Silent()
    elif sys.stderr.isatty():
        with TerminalListener(cells) as terminal:
            yield terminal
    else:
        yield NotesListener()


def in_notebook() -> bool:
    """Whether output goes to a Jupyter front end, which can show HTML and change it later."""
    # Imported here would be imported in every script; where it is not yet, there is no kernel.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    # Colab's shell derives from the kernel's.
    return shell is not None and any(
        cls.__name__ == "ZMQInteractiveShell" for cls in type(shell).__mro__
    )
