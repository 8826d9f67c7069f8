"""The course of an evaluation: jobs go to a crew of workers, and what they return into folders."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pickle import PicklingError
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeAlias

from synthbench.contracts.launcher import Crew, WorkerLost
from synthbench.engine.axis.memory import does_not_fit, is_out_of_memory
from synthbench.errors import DiskError, LaunchError, explain
from synthbench.evaluation.agenda import POLL_SECONDS, Agenda
from synthbench.evaluation.cell_run import CellRun
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

    A stack that fails is set aside, and all others go on. As a context it lets go of all folders in
    the end.
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
        """Finish every cell, but those that the agenda gives up.

        Raises what concerns all of them: a disk that is full, workers that cannot be given a job.
        """
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
        for stack in list(self._open):
            if (given := self._job_of(stack)) is not None:
                return given
        while (runs := self._agenda.next()) is not None:
            try:
                stack = StackRun(runs, terms, self._numbers)
            except Exception as error:
                self._set_aside(runs, error)
                continue
            self._agenda.postpone(stack.busy)
            self._open.append(stack)
            if stack.done:
                self._close(stack)
            elif (given := self._job_of(stack)) is not None:
                return given
        return None

    def _job_of(self, stack: StackRun) -> Given | None:
        """The next job of an open stack, if it has one now."""
        if stack.training is None or stack.error is not None:
            return None
        try:
            job = stack.training.next_job()
        except Exception as error:
            self._fail(stack, error)
            return None
        return None if job is None else Given(stack, stack.training, job)

    def _give(self, given: Given, crew: Crew) -> None:
        number = given.job.number
        self._given[number] = given
        try:
            outcome = crew.submit(given.job)
        except CANNOT_BE_SENT as error:
            del self._given[number]
            label = given.job.stack.first.label()
            message = f'"{label}" cannot be sent to workers ({explain(error)}); take workers=0'
            self._fail(given.stack, LaunchError(message))
            return
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
        stack = given.stack
        try:
            if stack.error is None:
                self._take(given, outcome)
            elif isinstance(given.job, Training) and outcome.exception() is None:
                # What was under way when another block failed is kept all the same.
                given.training.finish(given.job, outcome.result())
        except Exception as error:
            self._fail(stack, error)
        else:
            self._let_go(stack)

    def _take(self, given: Given, outcome: Future[Any]) -> None:
        """What a job has found out, or that it is lost; raises what the job did."""
        try:
            result = outcome.result()
        except WorkerLost as loss:
            self._lose(given, loss)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if not isinstance(given.job, Training):
                raise does_not_fit(given.job.stack.first.model.label()) from None
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
        try:
            results = stack.results()
        except Exception as error:
            self._set_aside(stack.runs, error)
        else:
            self._agenda.finish(results)

    def _fail(self, stack: StackRun, error: Exception) -> None:
        """Begin no more of a stack; those of its jobs that are under way end first."""
        if isinstance(error, DiskError):
            raise error
        stack.error = stack.error or error
        self._again = [given for given in self._again if given.stack is not stack]
        self._let_go(stack)

    def _let_go(self, stack: StackRun) -> None:
        """Of the folders of a stack that failed, once none of its jobs is under way."""
        error = stack.error
        if error is None or any(given.stack is stack for given in self._given.values()):
            return
        self._open.remove(stack)
        stack.abandon(type(error), error, error.__traceback__)
        self._set_aside(stack.runs, error)

    def _set_aside(self, runs: Sequence[CellRun], error: Exception) -> None:
        if isinstance(error, DiskError):
            raise error
        self._agenda.set_aside(runs, error)
