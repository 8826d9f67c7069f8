"""Values from strangers: which are refused, and how any text is shown on one line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from synthbench.errors import SubmissionError

LONGEST_TEXT = 1000
"""Characters of a text in a record."""
MOST = 2**63 - 1
"""Of anything counted in a record."""
LARGEST_VALUE = 1e39
"""Beyond what a 32-bit float holds, and far from where squares overflow."""
LONGEST_REASON = 400
"""Characters of an error message."""
BLANK = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164])
).union(map(chr, [*range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0)]))
"""Fillers, joiners and variation selectors: letters and marks by category, drawn as nothing."""


def refuse_invisible(text: str) -> str:
    """Refuse what a terminal or a browser would obey instead of show; ValueError names it."""
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if character != "\n" and is_invisible(character):
            raise ValueError(f"must not contain the invisible character U+{ord(character):04X}")
    return text


def is_invisible(character: str) -> bool:
    """Whether it is a control, a direction mark, a surrogate, a line separator or blank."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return character in BLANK or unicodedata.category(character) in hidden


def one_line(text: str) -> str:
    """Refuse a text that is empty, longer than a line, or holds something invisible."""
    if "\n" in text or not text.strip():
        raise ValueError("must be one line that is not empty")
    return refuse_invisible(text)


def check_values(value: Any, where: str) -> None:
    """Raise SubmissionError for what cannot be shown, anywhere in a JSON value.

    That is a text too long or with something invisible, and an integer beyond 64 bits.
    """
    if isinstance(value, int) and abs(value) > MOST:
        raise SubmissionError(f"{where} is a number of more than 64 bits")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise SubmissionError(f"{where}: text of more than {LONGEST_TEXT} characters")
        try:
            refuse_invisible(value.replace("\n", "\x00"))
        except ValueError as error:
            raise SubmissionError(f"{where} {error}") from None
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_values(key, where)
            check_values(item, f"{where}.{key}")
    elif isinstance(value, Sequence):
        for item in value:
            check_values(item, where)


def printable(text: str) -> str:
    """A text as one line of a readable length, with escapes for what cannot be seen."""
    start = text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
    return "".join(c if c.isprintable() and not is_invisible(c) else ascii(c)[1:-1] for c in start)


def shortened(value: Any) -> str:
    """A value as Python writes it, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
