"""Notes alone, for a script whose output goes to a file."""

from __future__ import annotations

import sys

from synthbench.listeners.listener import Silent


class NotesListener(Silent):
    """Writes what a person should know to stderr, and nothing of the progress."""

    def note(self, message: str) -> None:
        """Write one line."""
        print(f"note: {message}", file=sys.stderr, flush=True)
