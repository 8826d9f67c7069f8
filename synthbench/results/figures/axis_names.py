"""Names of axes: what is measured, in what unit, and which direction is good."""

from __future__ import annotations

from synthbench.metrics.ceiling import ceiling_words, is_higher_better
from synthbench.records.schema import Record

HIGHER, LOWER = "higher", "lower"
UNITS = {
    "budget": "samples",
    "batch_size": "samples per step",
}
"""Of fields that have one."""


def axis_name(words: str, unit: str = "", better: str = "") -> str:
    """`samples to target (median; lower is better)`; better: "higher", "lower" or neither.

    >>> axis_name("accuracy", better="higher"), axis_name("width")
    ('accuracy (higher is better)', 'width')
    """
    notes = [unit] if unit else []
    if better:
        notes.append(f"{better} is better")
    return f"{words} ({'; '.join(notes)})" if notes else words


def field_name(column: str) -> str:
    """A field with its unit, where its name does not say that."""
    return axis_name(column, UNITS.get(column.rpartition(".")[2], ""))


def score_name(record: Record, score: str) -> str:
    """A score and its direction, where a trivial reference and a ceiling tell it."""
    return axis_name(score, better=direction(record, score))


def direction(record: Record, score: str) -> str:
    """Of a score: "higher", "lower", or "" where that is not known."""
    ends = [
        (level["trivial"], level[record.ceiling])
        for level in record.levels(score)
        if "trivial" in level and record.ceiling in level
    ]
    apart = [(trivial, ceiling) for trivial, ceiling in ends if trivial != ceiling]
    if not apart:
        return ""
    return HIGHER if is_higher_better(apart) else LOWER


def progress_name(ceilings: list[str]) -> str:
    """`progress (0 trivial, 1 optimal; higher is better)`."""
    words = " or ".join(ceiling_words(ceiling) for ceiling in dict.fromkeys(ceilings))
    return axis_name("progress", f"0 trivial, 1 {words}", HIGHER)
