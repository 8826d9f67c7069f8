"""Scoring every replica on its own held-out samples, with references and probes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.probe import Probe
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import Replicas, State
from synthbench.engine.axis.tracing import traced
from synthbench.engine.data.sampling import as_batch, batch_bytes, cast_batch, draw_batch
from synthbench.engine.training.view import probe_measurement
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose

CACHE_BYTES = 512 * 2**20
"""Evaluation sets up to this size are kept; larger ones are drawn again each time."""

Columns = dict[str, NDArray[np.float64]]
Scores = Callable[[State, State, Batch], Mapping[str, Tensor]]
"""(parameters, buffers, batch), all (R, ...) -> score (R,) by name, the loss last."""


def replica_scores(cell: Cell, replicas: Replicas, looped: bool) -> Scores:
    """Every replica's scores on its own batch; traced, unless they must be looped."""
    loss = recipe_loss(cell.task, cell.model)

    def of_one(parameters: State, buffers: State, batch: Batch) -> Mapping[str, Tensor]:
        batch = as_batch(batch)
        output = replicas.forward(parameters, buffers, batch.x)
        return {**cell.task.score(output, batch), "loss": loss(output, batch)}

    function = over_replicas(of_one, looped)
    return function if looped else traced(function)


class Evaluator:
    """Measures the replicas of one block; the same held-out samples at every point."""

    def __init__(
        self, cell: Cell, replicas: Replicas, looped: bool, scores: Scores | None = None
    ) -> None:
        """looped: as for `over_replicas`; scores: the cell's, where it has other blocks too."""
        self._cell = cell
        self._replicas, self._looped = replicas, looped
        # Lifted once: a looped function remembers the shape of what it returned.
        self._scores = scores or replica_scores(cell, replicas, looped)
        self._references = over_replicas(self._score_references, looped)
        self._initial = {name: p.clone() for name, p in replicas.parameters.items()}
        self._cache: list[Batch] | None = None
        self._training: list[Batch] = []

    def prepare(
        self, worlds: World, eval_keys: Tensor, probe_keys: Tensor, dtype: torch.dtype
    ) -> None:
        """Draw the evaluation set and score the references on it."""
        self._worlds, self._eval_keys, self._probe_keys = worlds, eval_keys, probe_keys
        self._dtype = dtype
        self._measures = {probe.name: self._measure_of(probe) for probe in self._cell.probes}
        if self._cell.probes:
            self._initial = {n: p.to(eval_keys.device, dtype) for n, p in self._initial.items()}
        batches = self._draw()
        first = next(batches)
        if batch_bytes(first) * self._batch_count() <= CACHE_BYTES:
            self._cache = [first, *batches]
        scores = self._mean(lambda batch: self._references(worlds, batch))
        self.reference_scores: dict[str, Columns] = {}
        for name, values in scores.items():
            reference, _, metric = name.partition("/")
            self.reference_scores.setdefault(reference, {})[metric] = values

    def watch_training(self, samples: Batch) -> None:
        """Also score the samples that are trained on, up to as many as are held out.

        samples: leaves (R, m, ...).
        """
        size, most = self._cell.protocol.evaluation_batch, self._cell.protocol.evaluation_samples
        last = min(samples.x.shape[1], most)
        ends = [*range(size, last, size), last]
        self._training = [
            as_batch(tree_map(lambda leaf: leaf[:, start:stop], samples))  # noqa: B023
            for start, stop in zip([0, *ends], ends, strict=False)
        ]

    def measure(self, parameters: State, buffers: State) -> Columns:
        """Column -> (R,) values: the task's score, the loss, the progress, the probes."""
        columns = self._mean(lambda b: self._scores(parameters, buffers, b))
        ranked = next(iter(columns))
        columns["progress"] = self._progress(columns[ranked], ranked)
        if self._training:
            scores = self._over(self._training, lambda b: self._scores(parameters, buffers, b))
            columns[f"train_{ranked}"] = scores[ranked]
            columns["train_progress"] = self._progress(scores[ranked], ranked)
        for probe in self._cell.probes:
            columns |= self._probe(probe, parameters, buffers)
        return columns

    def _score_references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        batch = as_batch(batch)
        return {
            f"{name}/{metric}": value
            for name, output in self._cell.task.references(world, batch).items()
            for metric, value in self._cell.task.score(output, batch).items()
        }

    def _measure_of(self, probe: Probe) -> Callable[..., Mapping[str, Tensor]]:
        loss = recipe_loss(self._cell.task, self._cell.model)
        measurement = probe_measurement(probe, self._cell.task, self._replicas, loss, self._dtype)
        return over_replicas(measurement, self._looped)

    def _probe(self, probe: Probe, parameters: State, buffers: State) -> Columns:
        batch = self._cache[0] if self._cache is not None else next(self._draw())
        # Copies: a probe that writes into what it is given must not change the training.
        arguments = (parameters, self._initial, buffers, self._worlds, tuple(batch))
        copies = tree_map(lambda leaf: leaf.detach().clone(), arguments)
        values = self._measures[probe.name](*copies, self._probe_keys)
        return {
            f"{probe.name}/{name}": _numpy(value, f'probe "{probe.name}" value "{name}"')
            for name, value in values.items()
        }

    def _progress(self, scores: NDArray[np.float64], ranked: str) -> NDArray[np.float64]:
        trivial = self.reference_scores["trivial"][ranked]
        optimal = self.reference_scores["optimal"][ranked]
        return np.asarray((scores - trivial) / (optimal - trivial))

    def _mean(self, scores_of: Callable[[Batch], Mapping[str, Tensor]]) -> Columns:
        return self._over(self._cache if self._cache is not None else self._draw(), scores_of)

    @staticmethod
    def _over(
        batches: Iterable[Batch], scores_of: Callable[[Batch], Mapping[str, Tensor]]
    ) -> Columns:
        """The mean over all samples of batches that may differ in size."""
        totals: dict[str, Tensor] = {}
        count = 0
        for batch in batches:
            size = batch.x.shape[1]
            count += size
            for name, value in scores_of(batch).items():
                totals[name] = totals.get(name, 0) + size * value.double()
        return {name: _numpy(total / count, f'score "{name}"') for name, total in totals.items()}

    def _draw(self) -> Iterator[Batch]:
        size = self._cell.protocol.evaluation_batch
        for index in range(self._batch_count()):
            with torch.autocast(self._eval_keys.device.type, enabled=False):
                batch = draw_batch(
                    self._cell.task, self._worlds, self._eval_keys, Purpose.EVAL, index, size
                )
            yield cast_batch(batch, self._dtype)

    def _batch_count(self) -> int:
        return self._cell.protocol.evaluation_samples // self._cell.protocol.evaluation_batch


def _numpy(values: Tensor, what: str) -> NDArray[np.float64]:
    if values.dim() != 1:
        raise ModelError(f"{what} must be a scalar, got shape {tuple(values.shape[1:])}")
    if values.is_complex():
        raise ModelError(f"{what} is complex; give its parts a name each")
    return values.detach().double().cpu().numpy()
