"""On which line of a TOML file something stands, which Python's reader does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any, TypeAlias

KeyPath: TypeAlias = Sequence[str | int]
"""Keys, and places in lists, from the top of the file to a value."""
OPEN = ("", "\n]", "\n]]")
"""What closes the lists that a file may be in the middle of."""


def line_of(text: str, path: KeyPath) -> int:
    """The line, from 1, on which the value at a path begins; 1 for a path to none.

    text: valid TOML. It is read again line by line until the value is there, which is for
    messages about files that a person wrote.
    """
    lines = text.split("\n")
    for end in range(1, len(lines) + 1):
        if any(holds(_read("\n".join(lines[:end]) + close), path) for close in OPEN):
            return end
    return 1


def _read(text: str) -> Any:
    """The content of a file, or of its beginning; nothing where that is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def holds(content: Any, path: KeyPath) -> bool:
    """Whether there is a value at a path."""
    for key in path:
        if isinstance(content, dict) and key in content:
            content = content[key]
        elif isinstance(content, list) and isinstance(key, int) and key < len(content):
            content = content[key]
        else:
            return False
    return True
