"""How scores of several test sets are called."""

from __future__ import annotations

AT = "@"
"""Between a score and the name of its test set."""


def scored_on(score: str, test_set: str) -> str:
    """Column of a score on a test set: `accuracy@length-80`; on the first, "", the bare name."""
    return f"{score}{AT}{test_set}" if test_set else score


def set_of(column: str) -> str:
    """The test set that a column belongs to; "" for the first."""
    return column.partition(AT)[2]


def score_of(column: str) -> str:
    """The score that a column holds, without its test set."""
    return column.partition(AT)[0]
