"""Judging one submission: what it says is read here, what it asks for is trained under limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthbench.errors import SynthbenchError, explain
from synthbench.leaderboard.review.changes import Change
from synthbench.leaderboard.submissions.files import FRESH_FILE
from synthbench.leaderboard.submissions.texts import printable
from synthbench.leaderboard.verification.limits import LimitError, Limits, within

if TYPE_CHECKING:
    from synthbench.leaderboard.submissions.reading import CheckedSubmission
    from synthbench.leaderboard.verification.verify import CellVerdict, Verification
    from synthbench.plan.suite import Suite

FRESH_IS_NOT_YOURS = (
    f"it brings, changes or removes {FRESH_FILE}, which is the verifier's to write "
    "(`synthbench leaderboard verify --fresh`); restore it as the base has it, or leave it out"
)
Outcome = Literal["holds", "does not hold", "refused", "undecided", "removed"]


@dataclass(frozen=True)
class CellOutcome:
    """One cell that was trained again. rerun: how many of its replicas; failures: one a line."""

    number: int
    task: str
    rerun: int
    replicas: int
    how: str
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """What is known of a submission. reason: why it is refused or undecided, one line.

    title: in its own words; empty where it cannot be read. cells: how many it has; judged: those
    that were trained again.
    """

    change: Change
    outcome: Outcome
    reason: str = ""
    title: str = ""
    cells: int = 0
    judged: tuple[CellOutcome, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """All of them, each with its cell."""
        return tuple(f"cell {c.number}: {failure}" for c in self.judged for failure in c.failures)


def judge_submission(
    change: Change, root: Path, verification: Verification, seconds: float
) -> Judgement:
    """Read, check and verify a submission for so many seconds at most.

    root: of the repository. A stall, a crash or a lack of memory leaves it undecided.
    """
    from synthbench.leaderboard.submissions.expected import expected_cells
    from synthbench.leaderboard.submissions.reading import read_submission
    from synthbench.registry.registry import installed

    if change.kind == "removed":
        return Judgement(change, "removed")
    if change.fresh:
        return Judgement(change, "refused", FRESH_IS_NOT_YOURS)
    try:
        # The suite whose folder it lies in: what it says of itself is checked against that.
        suite = installed().suite(change.suite)
        checked = read_submission(root / change.path, suite, expected_cells(suite))
    except Exception as error:
        return Judgement(change, *_stopped(error))
    verdicts, (outcome, reason) = _verified(checked, suite, verification, seconds)
    return _judgement(change, checked, verdicts, outcome, reason)


def _verified(
    checked: CheckedSubmission, suite: Suite, verification: Verification, seconds: float
) -> tuple[list[CellVerdict], tuple[Outcome, str]]:
    """The cells that were trained again in time, and whether anything stopped it."""
    from synthbench.leaderboard.verification.verify import verify_submission
    from synthbench.listeners.listener import Silent

    limits = replace(Limits.of_this_machine(), total=seconds)
    verdicts: list[CellVerdict] = []
    try:
        for verdict in within(
            limits, partial(verify_submission, checked, suite, verification), Silent()
        ):
            verdicts.append(verdict)
    except Exception as error:
        return verdicts, _stopped(error)
    return verdicts, ("holds", "")


def _stopped(error: Exception) -> tuple[Outcome, str]:
    """What an error makes of a submission: a plugin may raise anything, which decides nothing."""
    if not isinstance(error, SynthbenchError):
        return "undecided", printable(explain(error))
    outcome: Outcome = "undecided" if isinstance(error, LimitError) else "refused"
    return outcome, printable(str(error))


def _judgement(
    change: Change,
    checked: CheckedSubmission,
    verdicts: Sequence[CellVerdict],
    outcome: Outcome,
    reason: str,
) -> Judgement:
    records = [cell.record for cell in checked.cells]
    judged = tuple(
        CellOutcome(
            number=verdict.number,
            task=records[verdict.number - 1].task,
            rerun=len(verdict.replicas),
            replicas=records[verdict.number - 1].summary.replicas,
            how=verdict.agreement.how,
            failures=verdict.agreement.failures,
        )
        for verdict in verdicts
    )
    found = Judgement(
        change=change,
        outcome=outcome,
        reason=reason,
        title=checked.submission.title,
        cells=len(records),
        judged=judged,
    )
    return replace(found, outcome="does not hold") if found.failures else found
