"""Training the replicas of one cell, or of several that share a stack: which job comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthbench.engine.training.block_training import BlockResult
from synthbench.evaluation.block_queue import BlockQueue
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.jobs import JobOfStack, Measuring, Training
from synthbench.evaluation.logger_relay import Logged, log_to
from synthbench.evaluation.partial_run import PartialRun
from synthbench.evaluation.progress_relay import News, Remark, pass_on
from synthbench.evaluation.stack import Stack
from synthbench.evaluation.terms import Terms
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.evaluation.training_functions import forget_functions
from synthbench.plan.grouping import groups
from synthbench.records import Record


class StackTraining:
    """Cells of which none is finished; the first stands for what they share.

    How they are trained is measured once, unless all were begun earlier; then blocks are trained.
    """

    def __init__(self, runs: Sequence[CellRun], terms: Terms, numbers: Iterator[int]) -> None:
        """numbers: for jobs, each of which is given once."""
        self._runs, self._terms, self._numbers = runs, terms, numbers
        self._partials: list[PartialRun | None] = []
        for run in runs:
            run.listener.cell_started(run.cell)
            self._partials.append(run.begun())
        self._stack = self._described()
        self._measuring = False
        self._queues: list[BlockQueue] = []
        self._queue_of: dict[int, BlockQueue] = {}
        if None not in self._partials:
            self._enqueue()

    @property
    def done(self) -> bool:
        """Whether every replica is finished."""
        return bool(self._queues) and all(queue.done for queue in self._queues)

    def next_job(self) -> JobOfStack | None:
        """The next one; None where there is none before another is finished."""
        if not self._queues:
            if self._measuring:
                return None
            self._measuring = True
            terms = self._terms
            return Measuring(next(self._numbers), self._stack, terms.available, terms.parts)
        for queue in self._queues:
            job = queue.next_job(next(self._numbers))
            if job is not None:
                self._queue_of[job.number] = queue
                return job
        return None

    def hear(self, job: JobOfStack, news: News | Logged) -> None:
        """Pass on what a job says."""
        listener = self._runs[0].listener
        if isinstance(news, Remark):
            listener.note(news.text)
            return
        assert isinstance(job, Training)
        if isinstance(news, Logged):
            log_to(self._queue_of[job.number].loggers, news)
        else:
            pass_on(news, job.block, listener)

    def finish(self, job: JobOfStack, result: TrainingChoice | BlockResult) -> None:
        """Take what a job has found out."""
        if isinstance(result, TrainingChoice):
            for place, run in enumerate(self._runs):
                if self._partials[place] is None:
                    self._partials[place] = run.begin(result)
            self._enqueue()
        else:
            assert isinstance(job, Training)
            self._queue_of.pop(job.number).add(job, result)

    def narrow(self, job: Training, why: str) -> None:
        """Train narrower blocks from here on; ModelError where there are none."""
        queue = self._queue_of.pop(job.number)
        before, widest = queue.choice.widest, queue.narrow(job)
        # Another block of the same width may have said so already.
        if widest < before:
            self._runs[0].listener.note(f"{why}: continuing with {widest} replicas at once")

    def records(self) -> list[Record]:
        """Write a record for each cell, once all replicas are finished."""
        forget_functions(self._stack)
        written = {record.plan_hash: record for queue in self._queues for record in queue.records()}
        return [written[run.cell.plan_hash()] for run in self._runs]

    def _described(self) -> Stack:
        first = self._runs[0]
        begun = zip(self._runs, self._partials, strict=True)
        return Stack(
            cells=tuple(run.cell for run in self._runs),
            facts=first.facts,
            device=first.machine.device,
            replicas=sum(run.replicas_to_train for run, found in begun if found is None),
            widest=first.settings.replicas_per_block,
            compile=first.settings.compile,
            processor=first.machine.environment.device_name if self._terms.remote else None,
        )

    def _enqueue(self) -> None:
        """Several queues, where some cells were begun at another time, in another way."""
        partials = [partial for partial in self._partials if partial is not None]
        for places in groups([partial.choice for partial in partials]):
            runs = [self._runs[place] for place in places]
            own = [partials[place] for place in places]
            self._queues.append(BlockQueue(runs, own, self._stack, self._terms))
