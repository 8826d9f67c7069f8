"""A review: every submission that a branch changes, judged within one limit of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from synthbench.leaderboard.review.changes import Changes
from synthbench.leaderboard.review.judging import Judgement, judge_submission

if TYPE_CHECKING:
    from synthbench.leaderboard.verification.verify import Verification


@dataclass(frozen=True)
class Review:
    """What was found, and how: `verification` says which replicas were trained again."""

    changes: Changes
    verification: Verification
    judgements: tuple[Judgement, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against any of them; a removed one is for a person to decide."""
        return all(one.outcome in ("holds", "removed") for one in self.judgements)


def review(
    changes: Changes,
    verification: Verification,
    seconds: float,
    progress: Callable[[Judgement], None] = lambda judgement: None,
) -> Review:
    """Judge the submissions one after the other, within so many seconds together.

    progress: called with each judgement.
    """
    deadline = monotonic() + seconds
    judgements = []
    for change in changes.submissions:
        left = max(deadline - monotonic(), 0)
        judgements.append(judge_submission(change, changes.root, verification, left))
        progress(judgements[-1])
    return Review(changes, verification, tuple(judgements))
