"""Names of scores: `accuracy` on the first test set, `accuracy@length-80` on another."""

from __future__ import annotations


def base_name(score: str) -> str:
    """The score without its test set: `accuracy`."""
    return score.partition("@")[0]


def set_name(score: str) -> str:
    """The test set that a score is of: `length-80`; empty for the first."""
    return score.partition("@")[2]


def scored_on(score: str, test_set: str) -> str:
    """A score's name on a test set: `accuracy@length-80`; on the first, "", the bare name."""
    return f"{score}@{test_set}" if test_set else score
