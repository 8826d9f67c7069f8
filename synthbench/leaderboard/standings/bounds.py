"""Means over cells of which some are unsolved: which way they can still go."""

from __future__ import annotations

from typing import Literal, TypeAlias

Bound: TypeAlias = Literal["", "<", ">", "~"]


def which_way(more: bool, less: bool) -> Bound:
    """The mark of a ratio; more, less: whether unsolved cells leave it room upwards, downwards."""
    return "~" if more and less else ">" if more else "<" if less else ""


def marked(bound: str, text: str) -> str:
    """A number with its mark in front."""
    return f"{bound} {text}".strip()
