"""The batches of one test set during a training: drawn once, or anew where they are large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.engine.axis.rows import joined, rows_of_stack
from synthbench.engine.data.held_out import HeldOut, held_out_sets
from synthbench.engine.data.sampling import as_batch, batch_bytes, cast_batch
from synthbench.engine.data.task_runs import TaskRun, narrowed_runs
from synthbench.plan.protocol import Protocol


class HeldOutBatches:
    """The same examples at every evaluation: leaves (R, B, ...)."""

    def __init__(
        self,
        held_out: HeldOut,
        protocol: Protocol,
        worlds: World,
        keys: Tensor,
        dtype: torch.dtype,
        runs: Sequence[TaskRun] = (),
    ) -> None:
        """worlds: of the R replicas; keys: (R, 2) words of their `eval` seeds.

        dtype: of the floating-point numbers. runs: which replicas are of which task, where they
        differ; the set is that of the first.
        """
        self.held_out, self._protocol, self._dtype = held_out, protocol, dtype
        self._worlds, self._keys = worlds, keys
        self._runs = list(runs) or [TaskRun(held_out.task, 0, len(keys))]
        self._kept: list[Batch] | None = None

    def keep(self, room: int) -> None:
        """Draw all batches now and keep them, if they take no more than `room` bytes."""
        batches: list[Batch] = []
        for batch in self._draw():
            batches.append(batch)
            if batch_bytes(batches) > room:
                return
        self._kept = batches

    @property
    def kept(self) -> list[Batch] | None:
        """All batches, where they are kept: the same tensors until they are narrowed."""
        return self._kept

    def by_task(self) -> list[tuple[TaskRun, HeldOutBatches]]:
        """The batches of the replicas of each task alone."""
        if len(self._runs) == 1:
            return [(self._runs[0], self)]
        return [(run, self._part(run)) for run in self._runs]

    def narrow(self, rows: Sequence[int]) -> None:
        """Leave the batches of some replicas, in their order."""
        self._runs = narrowed_runs(self._runs, rows)
        self._worlds, self._keys = rows_of_stack((self._worlds, self._keys), rows)
        if self._kept is not None:
            self._kept = [as_batch(rows_of_stack(batch, rows)) for batch in self._kept]

    @property
    def first(self) -> Batch:
        """The first batch."""
        return next(iter(self))

    def __iter__(self) -> Iterator[Batch]:
        """All batches."""
        return self._draw() if self._kept is None else iter(self._kept)

    def _part(self, run: TaskRun) -> HeldOutBatches:
        worlds, keys = run.of((self._worlds, self._keys))
        part = HeldOutBatches(self._set_of(run), self._protocol, worlds, keys, self._dtype)
        if self._kept is not None:
            part._kept = [as_batch(run.of(batch)) for batch in self._kept]
        return part

    def _draw(self) -> Iterator[Batch]:
        # Under autocast a task's own arithmetic would be rounded.
        kind = self._keys.device.type
        parts = [
            self._set_of(run).batches(*run.of((self._worlds, self._keys)), self._protocol)
            for run in self._runs
        ]
        while True:
            with torch.autocast(kind, enabled=False):
                found = [next(batches, None) for batches in parts]
            drawn = [batch for batch in found if batch is not None]
            if not drawn:
                return
            yield cast_batch(as_batch(joined(drawn)), self._dtype)

    def _set_of(self, run: TaskRun) -> HeldOut:
        """The test set as the task of some replicas has it."""
        same = run.task is self.held_out.task
        return self.held_out if same else held_out_sets(run.task)[self.held_out.place]
