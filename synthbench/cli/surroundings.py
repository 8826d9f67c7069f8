"""What a command is started in: a terminal or none, of which encoding and width."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console

WIDTHS = ("COLUMNS", "LINES")


def make_output_readable() -> None:
    """What cannot be encoded is written as `?`; no width of 0, in which nothing has a place.

    An ASCII terminal, or a pipe under another locale, has no word for ✓ or an arrow: that is no
    reason to end with a traceback behind a training.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    for name in WIDTHS:
        text = os.environ.get(name, "1")
        if not text.isdecimal() or int(text) == 0:
            del os.environ[name]


def watched(console: Console) -> Console:
    """The console where somebody watches it, to be animated; a silent one elsewhere.

    FORCE_COLOR makes rich take a log for a terminal, and write every frame of a bar into it.
    """
    if console.is_terminal and (console.is_jupyter or console.file.isatty()):
        return console
    return Console(quiet=True)
