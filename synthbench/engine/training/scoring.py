"""Scoring every replica on its own test sets, with references and probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.probe import Probe
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Network, Replicas
from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.axis.state import State
from synthbench.engine.axis.tracing import traced
from synthbench.engine.axis.way import Way
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import as_batch, rows_of
from synthbench.engine.data.task_runs import TaskRun
from synthbench.engine.training.captured_scores import CapturedScores
from synthbench.engine.training.cuda_graphs import Capture
from synthbench.engine.training.data_room import kept_bytes
from synthbench.engine.training.held_out_batches import HeldOutBatches
from synthbench.engine.training.references import Columns, columns_of, reference_scores
from synthbench.engine.training.score_totals import (
    BatchScores,
    Parts,
    ScoreTotals,
    aggregated,
    score_parts,
    total_scores,
)
from synthbench.engine.training.view import probe_measurement
from synthbench.errors import ConfigurationError, ModelError, SynthbenchError, did_you_mean
from synthbench.metrics.ranked_by import progress_of
from synthbench.metrics.score_names import base_name, scored_on
from synthbench.plan.cell import Cell
from synthbench.plan.task_facts import aggregates

LOSS = "loss"


def replica_scores(cell: Cell, replicas: Replicas | PlainReplicas, way: Way) -> BatchScores:
    """Every replica's scores on its own batch."""
    loss = recipe_loss(cell.task, cell.model)

    def of_one(
        network: Network, parameters: State, buffers: State, batch: Batch, noise: Tensor
    ) -> Parts:
        batch = as_batch(batch)
        output = network.forward(parameters, buffers, batch.x, noise=noise)
        return {**score_parts(cell.task.score(output, batch)), LOSS: loss(output, batch)}

    function = replicas.lift(of_one)
    return traced(function) if way is Way.TRACED else function


@dataclass(frozen=True)
class Measurement:
    """One evaluation: column -> (R,) numbers, or (R, T) of a curve.

    finite: (R,) whether the replica's losses, progress and plain scores are numbers. A weighted
    mean may be undefined, where nothing was asked, and so may a probe. met: (R,) whether the
    ranked score is at the target.
    """

    columns: Columns
    finite: NDArray[np.bool_]
    met: NDArray[np.bool_]


class Evaluator:
    """Measures the replicas of one block; the same held-out samples at every point."""

    def __init__(
        self,
        cell: Cell,
        replicas: Replicas | PlainReplicas,
        way: Way = Way.TRACED,
        scores: BatchScores | None = None,
    ) -> None:
        """scores: the cell's, where it has other blocks too."""
        self._cell, self._replicas = cell, replicas
        # Lifted once: plain modules remember the shape of what they returned.
        self._scores = scores or replica_scores(cell, replicas, way)
        self._captured: CapturedScores | None = None
        self._initial = {name: p.clone() for name, p in replicas.parameters.items()}

    def prepare(
        self,
        worlds: World,
        eval_keys: Tensor,
        probe_keys: Tensor,
        dtype: torch.dtype,
        training: Batch | None = None,
        runs: Sequence[TaskRun] = (),
    ) -> None:
        """Draw the test sets and score the references on them.

        training: the finite training set, leaves (R, m, ...), for references that are fitted.
        runs: which replicas are of which task, where they differ.
        """
        task, protocol = self._cell.task, self._cell.protocol
        self._worlds, self._probe_keys, self._dtype = worlds, probe_keys, dtype
        self._measures = {probe.name: self._measure_of(probe) for probe in self._cell.probes}
        if self._cell.probes:
            self._initial = {n: p.to(eval_keys.device, dtype) for n, p in self._initial.items()}
        found = held_out_sets(task)
        self._sets = [
            HeldOutBatches(each, protocol, worlds, eval_keys, dtype, runs) for each in found
        ]
        for batches in self._sets:
            batches.keep(kept_bytes(eval_keys.device) // len(self._sets))
        self.reference_scores = reference_scores(self._sets, worlds, training)
        self._references = self.reference_scores
        self._ranked = ranked_column(self._cell, self.reference_scores)

    def capture_with(self, capture: Capture | None) -> None:
        """How scores on test sets that are kept are captured from now on, if they are."""
        self._captured = None if capture is None else CapturedScores(self._scores, capture)

    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas alone, in their order."""
        narrowed = rows_of_stack((self._worlds, self._probe_keys), rows)
        self._worlds, self._probe_keys = narrowed
        if self._cell.probes:
            self._initial = rows_of_stack(self._initial, rows)
        for batches in self._sets:
            batches.narrow(rows)
        self._references = {
            name: {column: scores[list(rows)] for column, scores in columns.items()}
            for name, columns in self._references.items()
        }

    def measure(
        self,
        parameters: State,
        buffers: State,
        training: Batch | None = None,
        noise: Tensor | None = None,
    ) -> Measurement:
        """Score the replicas; training: the samples that are trained on, if they are watched.

        noise: (R,) keys of the numbers that networks draw even in evaluation. Columns: the
        ranked score, the other scores, losses, progress, training scores, probes.
        """
        measured = self.measure_scores(parameters, buffers, training, noise)
        for probe in self._cell.probes:
            measured.columns.update(self.measure_probe(probe, parameters, buffers))
        return measured

    def measure_scores(
        self,
        parameters: State,
        buffers: State,
        training: Batch | None = None,
        noise: Tensor | None = None,
    ) -> Measurement:
        """The same without the probes."""
        keys = torch.zeros_like(self._probe_keys[:, 0]) if noise is None else noise
        columns: Columns = {}
        watched: list[str] = []
        for batches in self._sets:
            found, plain = self._columns(self._totals(batches, parameters, buffers, keys))
            columns |= {scored_on(n, batches.held_out.name): v for n, v in found.items()}
            watched += [scored_on(name, batches.held_out.name) for name in plain]
        ranked = self._ranked
        columns = {ranked: columns[ranked], **columns}
        columns["progress"] = self._progress(columns[ranked], ranked)
        columns |= self._progress_elsewhere(columns)
        watched += [ranked, "progress"]
        if training is not None:
            cut = self._cut(training)
            totals = total_scores(self._scores, (parameters, buffers), cut, keys)
            of_training = self._training_columns(totals)
            columns |= of_training
            watched += of_training
        finite = np.asarray(np.isfinite(np.stack([columns[n] for n in watched])).all(0))
        return Measurement(columns, finite, self._meets_target(columns))

    def _totals(
        self, batches: HeldOutBatches, parameters: State, buffers: State, keys: Tensor
    ) -> ScoreTotals:
        """All scores on a test set."""
        if self._captured is None or batches.kept is None:
            return total_scores(self._scores, (parameters, buffers), batches, keys)
        return self._captured.totals((parameters, buffers), batches.kept, keys)

    def _columns(self, totals: ScoreTotals) -> tuple[Columns, list[str]]:
        """Every score over all samples, and the names of the losses and of plain scores."""
        means = totals.means()
        loss = means.pop(LOSS)
        reported = aggregated(self._cell.task, means)
        plain = [LOSS]
        if not aggregates(self._cell.task):
            plain += [name for name in totals.plain if name != LOSS]
        named = {name: (value, f'score "{name}"') for name, value in reported.items()}
        return columns_of({**named, LOSS: (loss, "the loss")}), plain

    def _progress_elsewhere(self, columns: Columns) -> Columns:
        """Progress of the first score of every test set but the first."""
        first = next(iter(self._references["trivial"]))
        names = [batches.held_out.name for batches in self._sets]
        return {
            scored_on("progress", name): self._progress(columns[column], column)
            for name in names[1:]
            for column in [scored_on(first, name)]
        }

    def _training_columns(self, totals: ScoreTotals) -> Columns:
        """The ranked score on training samples, with the progress it would be on the first set."""
        name = base_name(self._ranked)
        score = self._columns(totals)[0][name]
        return {f"train_{name}": score, "train_progress": self._progress(score, name)}

    def _cut(self, samples: Batch) -> list[Batch]:
        """Training samples in batches: a task's own set whole, else no more than are held out."""
        protocol, size = self._cell.protocol, self._cell.protocol.evaluation_batch
        last = samples.x.shape[1]
        if not self._cell.has_train_set:
            last = min(last, protocol.evaluation_samples)
        return [rows_of(samples, at, min(at + size, last)) for at in range(0, last, size)]

    def _measure_of(self, probe: Probe) -> Callable[..., Mapping[str, Tensor]]:
        loss = recipe_loss(self._cell.task, self._cell.model)
        return self._replicas.lift(probe_measurement(probe, self._cell.task, loss, self._dtype))

    def measure_probe(self, probe: Probe, parameters: State, buffers: State) -> Columns:
        """What one of the cell's probes measures."""
        batch = self._sets[0].first
        # Copies: a probe that writes into what it is given must not change the training.
        arguments = (parameters, self._initial, buffers, self._worlds, tuple(batch))
        copies = tree_map(lambda leaf: leaf.detach().clone(), arguments)
        values = self._measures[probe.name](*copies, self._probe_keys)
        named = {n: (v, f'probe "{probe.name}" value "{n}"') for n, v in values.items()}
        try:
            return {f"{probe.name}/{n}": v for n, v in columns_of(named).items()}
        except SynthbenchError as error:
            raise ModelError(str(error)) from None

    def _meets_target(self, columns: Columns) -> NDArray[np.bool_]:
        task, score = self._cell.task, columns[self._ranked]
        if task.target_score is None:
            return np.asarray(columns["progress"] >= task.target)
        trivial = self._references["trivial"][self._ranked]
        best = self._references[task.ceiling][self._ranked]
        rises = np.where(best == trivial, task.higher_is_better, best > trivial)
        return np.asarray(np.where(rises, score >= task.target_score, score <= task.target_score))

    def _progress(self, scores: NDArray[np.float64], column: str) -> NDArray[np.float64]:
        trivial = self._references["trivial"][column]
        best = self._references[self._cell.task.ceiling][column]
        return progress_of(scores, trivial, best)


def ranked_column(cell: Cell, references: Mapping[str, Columns]) -> str:
    """The score that is ranked: the protocol's, or the task's first.

    Raises ConfigurationError for a score that there is not, or that is a curve.
    """
    columns = references["trivial"]
    wanted = cell.protocol.score or next(iter(columns))
    if wanted not in columns:
        known = ", ".join(columns)
        raise ConfigurationError(
            f'"{cell.task.label()}" has no score "{wanted}"{did_you_mean(wanted, list(columns))} '
            f"(scores: {known})"
        )
    if columns[wanted].ndim > 1:
        raise ConfigurationError(
            f'score "{wanted}" of "{cell.task.label()}" is a curve, which cannot be ranked; name '
            "another in protocol.score, or let the task put a number first"
        )
    return wanted
