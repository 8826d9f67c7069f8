"""Judging one submission in a process of its own, which can be ended and may fail alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Literal

from synthbench.errors import SynthbenchError, explain
from synthbench.leaderboard.review.changes import Change
from synthbench.leaderboard.submissions.texts import printable

Outcome = Literal["holds", "does not hold", "refused", "undecided", "removed"]


@dataclass(frozen=True)
class Sampling:
    """Which share of each cell's replicas is trained again, chosen by which seed, and where."""

    fraction: float
    seed: int
    accelerator: str = "auto"


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

    title, model: in its own words; empty where it cannot be read. cells: how many it has;
    judged: those that were trained again.
    """

    change: Change
    outcome: Outcome
    reason: str = ""
    title: str = ""
    cells: int = 0
    judged: tuple[CellOutcome, ...] = ()


@dataclass(frozen=True)
class _Title:
    text: str
    cells: int


@dataclass(frozen=True)
class _End:
    outcome: Outcome
    reason: str = ""


def judge_submission(change: Change, root: Path, sampling: Sampling, seconds: float) -> Judgement:
    """Read, check and verify a submission for so many seconds at most.

    root: of the repository. A stall, a crash or a lack of memory ends one process and leaves it
    undecided.
    """
    if change.kind == "removed":
        return Judgement(change, "removed")
    # Not forked: torch's threads do not survive it.
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=_judge, args=(sender, root / change.path, change.suite, sampling)
    )
    child.start()
    sender.close()
    try:
        heard = list(_heard(receiver, seconds))
    finally:
        child.kill()
        child.join()
    return _judgement(change, heard)


def _heard(receiver: Connection, seconds: float) -> Iterator[object]:
    """What the process says until it has said all, ends, or time is up; an _End is the last."""
    deadline = monotonic() + seconds
    try:
        while receiver.poll(max(deadline - monotonic(), 0)):
            said = receiver.recv()
            yield said
            if isinstance(said, _End):
                return
    except EOFError:
        yield _End("undecided", "its verification ended early: out of memory, or a crash")
    else:
        yield _End("undecided", f"not finished within {seconds / 60:.3g} minutes")


def _judgement(change: Change, heard: list[object]) -> Judgement:
    title = next((said for said in heard if isinstance(said, _Title)), _Title("", 0))
    end = next(said for said in heard if isinstance(said, _End))
    judged = tuple(said for said in heard if isinstance(said, CellOutcome))
    fails = any(cell.failures for cell in judged)
    outcome: Outcome = "does not hold" if fails else end.outcome
    return Judgement(change, outcome, end.reason, title.text, title.cells, judged)


def _judge(sender: Connection, folder: Path, suite: str, sampling: Sampling) -> None:
    """In the process: say what is found, as it is found."""
    try:
        for said in _found(folder, suite, sampling):
            sender.send(said)
        sender.send(_End("holds"))
    except SynthbenchError as error:
        sender.send(_End("refused", printable(str(error))))
    # A plugin may raise anything, and a traceback helps nobody in a pull request.
    except Exception as error:
        sender.send(_End("undecided", printable(explain(error))))


def _found(folder: Path, suite: str, sampling: Sampling) -> Iterator[_Title | CellOutcome]:
    from synthbench.leaderboard.submissions.expected import expected_cells
    from synthbench.leaderboard.submissions.reading import read_submission
    from synthbench.leaderboard.verification.verify import Verification, verify_submission
    from synthbench.listeners.listener import Silent
    from synthbench.registry.registry import installed

    # The suite whose folder it lies in: what it says of itself is checked against that.
    wanted = installed().suite(suite)
    checked = read_submission(folder, wanted, expected_cells(wanted))
    yield _Title(checked.submission.title, len(checked.cells))
    chosen = Verification(sampling.fraction, sampling.seed, sampling.accelerator)
    for verdict in verify_submission(checked, wanted, chosen, Silent()):
        record = checked.cells[verdict.number - 1].record
        yield CellOutcome(
            number=verdict.number,
            task=record.task,
            rerun=len(verdict.replicas),
            replicas=record.summary.replicas,
            how=verdict.agreement.how,
            failures=tuple(verdict.agreement.failures),
        )
