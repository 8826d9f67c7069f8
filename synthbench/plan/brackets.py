"""Brackets and quotes in what people type: where a list ends, and where its values part."""

from __future__ import annotations

import re

from synthbench.errors import ConfigurationError

CLOSERS = {"[": "]", "(": ")", "{": "}"}
PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)
"""A quoted word, or one character."""


def closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`.

    Brackets between quotes are words. Raises ConfigurationError for one that is never closed, and
    for one closed by another.
    """
    expected: list[str] = []
    for piece in PIECE.finditer(text, start):
        mark = piece[0]
        if mark in CLOSERS:
            expected.append(CLOSERS[mark])
        elif mark in CLOSERS.values() and mark != expected.pop():
            break
        if not expected:
            return piece.end()
    raise ConfigurationError(f'"{text[start:]}" opens a bracket that is not closed')


def parts(text: str) -> list[str]:
    """What the commas outside brackets and quotes divide; none of an empty text."""
    found, begin, place = [], 0, 0
    while place < len(text):
        piece = PIECE.match(text, place)
        assert piece is not None
        if piece[0] == ",":
            found.append(text[begin:place].strip())
            begin = piece.end()
        place = closing(text, place) if piece[0] in CLOSERS else piece.end()
    rest = text[begin:].strip()
    return [*found, rest] if found or rest else []


def depth(text: str) -> int:
    """How deep the square brackets of a text are nested."""
    deepest = level = 0
    for piece in PIECE.finditer(text):
        level += (piece[0] == "[") - (piece[0] == "]")
        deepest = max(deepest, level)
    return deepest
