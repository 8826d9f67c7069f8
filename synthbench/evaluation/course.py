"""The course of an evaluation: jobs go to a crew of workers, and what they return into folders."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pickle import PicklingError
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeAlias

from synthbench.contracts.launcher import Crew, WorkerLost
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.errors import LaunchError, explain
from synthbench.evaluation.agenda import POLL_SECONDS, Agenda
from synthbench.evaluation.jobs import JobOfStack, Said, Training
from synthbench.evaluation.progress_relay import Remark
from synthbench.evaluation.stack_run import StackRun
from synthbench.evaluation.stack_training import StackTraining
from synthbench.evaluation.terms import Terms
from synthbench.listeners.listener import Listener

MOST_LOSSES = 3
"""A job that is lost so often, without a word of it in between, needs less memory or help."""

CANNOT_BE_SENT = (TypeError, AttributeError, PicklingError, RecursionError)
"""What pickling raises."""


@dataclass(frozen=True)
class Ended:
    """A job is over; outcome: its result, or what it raised."""

    job: int
    outcome: Future[Any]


Inbox: TypeAlias = "SimpleQueue[Said | Ended]"


@dataclass
class Given:
    """A job that a crew has. lost: how often in a row it was lost before it said a word."""

    stack: StackRun
    training: StackTraining
    job: JobOfStack
    lost: int = 0


class Course:
    """Gives jobs to a crew while it has room, stack by stack, and takes what they return.

    As a context it lets go of all folders in the end.
    """

    def __init__(self, agenda: Agenda, inbox: Inbox, listener: Listener) -> None:
        """inbox: where arrives what jobs say that run elsewhere."""
        self._agenda, self._inbox, self._listener = agenda, inbox, listener
        self._numbers = count()
        self._open: list[StackRun] = []
        self._given: dict[int, Given] = {}
        self._again: list[Given] = []
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        """The course itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of the folders; what is finished of the cells stays there."""
        for stack in self._open:
            stack.abandon(kind, error, traceback)

    def run(self, crew: Crew, terms: Terms) -> None:
        """Finish every cell."""
        while self._open or not self._agenda.done:
            while len(self._given) < crew.room and (given := self._next(terms)) is not None:
                self._give(given, crew)
            if self._open or not self._agenda.done:
                self._listen()

    def hear(self, said: Said) -> None:
        """Pass on what a job says."""
        given = self._given.get(said.job)
        if isinstance(said.news, Remark) and said.news.once:
            if said.news.text in self._told:
                return
            self._told.add(said.news.text)
        if given is not None:
            given.lost = 0
            given.training.hear(given.job, said.news)

    def _next(self, terms: Terms) -> Given | None:
        """The next job: of what is open, or of what can be opened."""
        if self._again:
            return self._again.pop()
        for stack in self._open:
            if (given := _job_of(stack)) is not None:
                return given
        while (runs := self._agenda.next()) is not None:
            stack = StackRun(runs, terms, self._numbers)
            self._agenda.postpone(stack.busy)
            self._open.append(stack)
            if stack.done:
                self._close(stack)
            elif (given := _job_of(stack)) is not None:
                return given
        return None

    def _give(self, given: Given, crew: Crew) -> None:
        number = given.job.number
        self._given[number] = given
        try:
            outcome = crew.submit(given.job)
        except CANNOT_BE_SENT as error:
            label = given.job.stack.first.label()
            raise LaunchError(
                f'"{label}" cannot be sent to workers ({explain(error)}); take workers=0'
            ) from error
        outcome.add_done_callback(lambda over: self._inbox.put(Ended(number, over)))

    def _listen(self) -> None:
        """Take what has arrived, or wait for it a moment."""
        if self._agenda.is_waiting and not self._given:
            self._agenda.say_who_is_waited_for()
        try:
            arrived = self._inbox.get(timeout=POLL_SECONDS)
        except Empty:
            return
        if isinstance(arrived, Said):
            self.hear(arrived)
        else:
            self._end(self._given.pop(arrived.job), arrived.outcome)

    def _end(self, given: Given, outcome: Future[Any]) -> None:
        try:
            result = outcome.result()
        except WorkerLost as loss:
            self._lose(given, loss)
        except (RuntimeError, MemoryError) as error:
            if not (is_out_of_memory(error) and isinstance(given.job, Training)):
                raise
            given.training.narrow(given.job, "out of memory")
        else:
            given.training.finish(given.job, result)
            if given.stack.done:
                self._close(given.stack)

    def _lose(self, given: Given, loss: WorkerLost) -> None:
        given.lost += 1
        if given.lost < MOST_LOSSES:
            self._listener.note(f"{loss}; its work begins again, from a checkpoint if there is one")
            self._again.append(given)
        elif isinstance(given.job, Training) and given.job.block.can_be_narrower:
            given.training.narrow(given.job, f"{loss}, {given.lost} times in a row")
        else:
            label = given.job.stack.first.label()
            raise LaunchError(
                f'{loss}, {given.lost} times in a row, with "{label}"; what is finished is kept, '
                "and the same command continues"
            )

    def _close(self, stack: StackRun) -> None:
        self._open.remove(stack)
        self._agenda.finish(stack.results())


def _job_of(stack: StackRun) -> Given | None:
    training = stack.training
    job = None if training is None else training.next_job()
    return None if training is None or job is None else Given(stack, training, job)
