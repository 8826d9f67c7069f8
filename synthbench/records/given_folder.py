"""The folder that somebody names for results, before anything is done for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from synthbench.errors import OutputError

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""What an address begins with: `s3:`, `file:`, `localhost:`; a drive has one letter."""
LONGEST = 255
"""Bytes of a name on every file system that is common."""


def given_folder(given: Path | str) -> Path:
    """The folder, with `~` as the home that it stands for.

    Raises OutputError for what can be no folder of this machine, or none whose files every
    library would find: an address, a name that is too long or not of UTF-8.
    """
    path = Path(given)
    shown = str(path).encode(errors="backslashreplace").decode()
    first = path.parts[0] if path.parts else ""
    if ADDRESS.match(first):
        raise _refusal(shown, "an address, where a folder of this machine is expected")
    if "\0" in str(path):
        raise _refusal(shown.replace("\0", "\\x00"), "it holds a zero byte")
    for part in path.parts:
        try:
            length = len(part.encode())
        except UnicodeEncodeError:
            raise _refusal(shown, "its name is not UTF-8") from None
        if length > LONGEST and part != os.sep:
            raise _refusal(f"{part[:20]}...", f"a name of {length} bytes; {LONGEST} are allowed")
    try:
        return path.expanduser() if first.startswith("~") else path
    except RuntimeError:
        raise _refusal(shown, f"there is no home {first}") from None


def _refusal(shown: str, reason: str) -> OutputError:
    return OutputError(f"cannot write to {shown}: {reason}; choose another folder")
