"""The LightningModule that trains one block of replicas."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from synthbench.contracts.batch import Batch
from synthbench.contracts.recipe import Optimizer
from synthbench.engine.axis.compiling import executing
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import trained_parameters
from synthbench.engine.axis.rows import joined, rows_of_stack
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import BY_DEFAULT, Execution, Executor
from synthbench.engine.data.sampling import batch_bytes, cast_batch, draw_worlds
from synthbench.engine.data.task_runs import task_runs
from synthbench.engine.data.training_data import joined_training_data
from synthbench.engine.optimizers.build import StackedOptimizer, build_optimizer
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.training.block import Block
from synthbench.engine.training.built_replicas import built_modules, built_replicas
from synthbench.engine.training.cell_functions import CellFunctions, functions_of
from synthbench.engine.training.chunks import Chunk, ChunkSource
from synthbench.engine.training.cuda_graphs import GraphUse, graph_capture
from synthbench.engine.training.data_room import steps_at_once
from synthbench.engine.training.drawn_steps import DrawnSteps
from synthbench.engine.training.history import History
from synthbench.engine.training.inheritance import Inherited
from synthbench.engine.training.logged_medians import medians, somebody_reads
from synthbench.engine.training.narrowing import narrower
from synthbench.engine.training.outcomes import Outcomes
from synthbench.engine.training.own_gradients import OwnGradients
from synthbench.engine.training.references import Columns
from synthbench.engine.training.scoring import Evaluator, Measurement
from synthbench.engine.training.stepping import Stepping
from synthbench.engine.training.teaching import training_loss
from synthbench.engine.training.training_state import LOSS, Continuation, TrainingState
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys

NARROWING_COMPILED = 4
"""How much narrower a compiled stack has to get: every width is compiled anew."""


class ReplicaTraining(pl.LightningModule):
    """Trains R replicas in lock-step; one epoch runs from one evaluation point to the next.

    Each `training_step` runs a chunk of optimizer steps, so Lightning's loop costs little;
    each validation scores every replica and decides which are done. Where enough of them are,
    the stack is narrowed to those that are left. A checkpoint needs only the parameters, the
    optimizer and the measurements: data are functions of (seed, step).
    """

    def __init__(
        self,
        cell: Cell,
        block: Block,
        execution: Execution = BY_DEFAULT,
        functions: CellFunctions | None = None,
    ) -> None:
        """execution: how the block is trained; functions: those of the cell, if it has more."""
        super().__init__()
        self.automatic_optimization = False
        self.cell = cell
        compiled = execution.executor is Executor.COMPILED
        self._narrowing = NARROWING_COMPILED if compiled else 1
        self._count, self._seeds = len(block.seeds), block.padded()
        self._cells = block.padded_cells(cell)
        self._rows = list(range(len(self._seeds)))
        modules = built_modules(self._cells, self._seeds)
        # Other people's optimizers may look at the parameters that the author made.
        special = isinstance(cell.model.recipe.optimizer, Optimizer)
        self._owners = [trained_parameters(m) for m in modules] if special else None
        replicas = built_replicas(cell, modules, execution)
        self._inherited = block.inherited or Inherited()
        self._inherited.begin(replicas.parameters, replicas.buffers)
        self._plain = replicas if isinstance(replicas, PlainReplicas) else None
        self._way = execution.way
        self.graphs = GraphUse()
        self._names, self._buffer_names = list(replicas.parameters), list(replicas.buffers)
        self._stacked = nn.ParameterList(nn.Parameter(p) for p in replicas.parameters.values())
        for index, tensor in enumerate(replicas.buffers.values()):
            self.register_buffer(f"stacked_buffer_{index}", tensor)
        recipes = [own.model.recipe for own in self._cells]
        execute = executing(execution.executor)
        self._functions = functions or functions_of(cell, replicas, execution.way, execute, recipes)
        self._evaluator = Evaluator(cell, replicas, execution.way, self._functions.scores)
        self.history = History(cell, len(self._seeds), block.kept_steps)
        self.finished_steps, self._interval_steps, self._resumed = 0, 0, False
        self._loss_sum = torch.zeros(())
        self._continuation, self._keeps_state = block.continuation, block.keeps_state
        self.state: TrainingState | None = None
        self._chunk_length = 1
        self._earlier_seconds = 0.0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall time spent on this block, sessions before a resumption included."""
        return self._earlier_seconds + time.monotonic() - self._started

    @property
    def outcomes(self) -> Outcomes:
        """Which replicas have solved, diverged or stopped; padding stands at the end."""
        return self.history.outcomes

    @property
    def running(self) -> NDArray[np.bool_]:
        """Which of the block's replicas still train; padding left out."""
        return self.outcomes.running[: self._count]

    @property
    def width(self) -> int:
        """How many replicas the stack holds now."""
        return len(self._rows)

    @property
    def parameters_by_name(self) -> State:
        """Stacked parameters, by the names the author's module gives them: (width, ...)."""
        return dict(zip(self._names, self._stacked, strict=True))

    @property
    def buffers_by_name(self) -> State:
        """Stacked buffers (width, ...)."""
        return {n: getattr(self, f"stacked_buffer_{i}") for i, n in enumerate(self._buffer_names)}

    @property
    def reference_scores(self) -> dict[str, Columns]:
        """Reference -> column -> (R, ...), on the test sets."""
        return self._evaluator.reference_scores

    def train_dataloader(self) -> DataLoader[Chunk]:
        """Chunks of steps up to the next evaluation point.

        The loader gets a generator of its own, or it would draw from the global one.
        """
        source = ChunkSource(self.history.points, self._chunk_length, lambda: self.finished_steps)
        return DataLoader(source, batch_size=None, generator=torch.Generator())

    def val_dataloader(self) -> DataLoader[int]:
        """One validation batch per epoch: the evaluation of all replicas."""
        return DataLoader([0], batch_size=None, generator=torch.Generator())  # type: ignore[arg-type]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimizer; its schedule is applied step by step."""
        recipes = [self._cells[row].model.recipe for row in self._rows]
        keys = keys_of([self._seeds[row].train for row in self._rows])
        owners = None if self._owners is None else [self._owners[row] for row in self._rows]
        return build_optimizer(recipes, self.parameters_by_name, owners, keys, self.cell.steps)

    @torch.no_grad()
    def on_fit_start(self) -> None:
        """Draw the worlds and the evaluation set, once the device is known."""
        # Of a checkpoint there are measurements already.
        begun = None if self.history.measurements else self._continuation
        if begun is not None:
            self._take_over(begun)
        self._precision = next(self._stacked.parameters()).dtype
        world_keys, self._train_keys, eval_keys, probe_keys = (
            keys_of([getattr(seeds, purpose) for seeds in self._seeds]).to(self.device)
            for purpose in ("world", "train", "eval", "probe")
        )
        if self._plain is not None:
            self._plain.adopt(self.parameters_by_name, self.buffers_by_name)
            self._pass_over_the_stopped()
        runs = task_runs([cell.task for cell in self._cells])
        worlds = joined([draw_worlds(run.task, run.of(world_keys)) for run in runs])
        self._masks = self._inherited.masks(self.parameters_by_name)
        self._teachers = [self._on_device(teacher) for teacher in self._inherited.teachers]
        with torch.autocast(self.device.type, enabled=False):
            self._data = joined_training_data(self.cell, runs, worlds, self._train_keys)
        # Of a curriculum those of its start, also where an unfinished training goes on.
        samples = self._training_samples(step=0)
        self._evaluator.prepare(worlds, eval_keys, probe_keys, self._precision, samples, runs)
        if self.width < len(self._seeds):
            self._narrow_data(self._rows)
        one_step = batch_bytes(self._draw(range(1))) * len(self._seeds) // self.width
        self._chunk_length = steps_at_once(one_step, self.device)
        self._reset_interval()
        if begun is not None and self.finished_steps not in self.history.points:
            self._interval_steps = begun.state.interval
            self._loss_sum += begun.state.tensors[LOSS].to(self.device)
        self.history.begin({**self.parameters_by_name, **self.buffers_by_name})

    @torch.no_grad()
    def on_train_start(self) -> None:
        """Evaluate the untrained replicas; stop at once if a checkpoint was of a finished block."""
        if self._continuation is not None and not self._resumed:
            self._take_over_moments(self._continuation)
        self._begin_stepping()
        if not self.history.measurements:
            with self.trainer.precision_plugin.val_step_context():
                self._evaluate()
        if not self.running.any():
            self.trainer.should_stop = True

    def training_step(self, chunk: Chunk, _: int) -> None:
        """Run the optimizer steps of one chunk."""
        self._loss_sum = self._stepping.run(chunk, self._loss_sum)
        self._interval_steps += chunk.stop - chunk.start
        self.finished_steps = chunk.stop
        _count_steps(self.trainer, chunk.stop - chunk.start)

    def validation_step(self, _: int, __: int) -> None:
        """Score all replicas; stop the block when every one is done."""
        self._evaluate()
        if not self.running.any():
            self.trainer.should_stop = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the measurements so far."""
        checkpoint["synthbench"] = {
            "finished_steps": self.finished_steps,
            "seconds": self.seconds,
            "rows": self._rows,
            "attributes": [] if self._plain is None else self._plain.attributes(),
            **self.history.state(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the measurements back, and make the stack as narrow as it was."""
        saved = checkpoint["synthbench"]
        self.history.load(saved)
        self._resumed, self.finished_steps = True, saved["finished_steps"]
        self._earlier_seconds = saved["seconds"]
        if saved["rows"] != self._rows:
            self._narrow_tensors(saved["rows"])
            self._rows = list(saved["rows"])
        if self._plain is not None:
            self._plain.set_attributes(saved["attributes"])

    def _begin_stepping(self) -> None:
        own = None
        elementwise = isinstance(self._optimizer, ElementwiseOptimizer)
        capture = self.graphs.begin(graph_capture(self.device, self._way) if elementwise else None)
        self._evaluator.capture_with(capture)
        if self._plain is not None:
            loss, clip = training_loss(self.cell), self.cell.model.recipe.clip
            own = OwnGradients(self._plain, loss, self._masks, clip)
        self._stepping = Stepping(
            self.cell,
            self._functions,
            self._optimizer,
            DrawnSteps(self._draw, self._noise, self._chunk_length),
            (self.parameters_by_name, self.buffers_by_name, self._masks),
            self._teachers,
            own,
            capture,
        )

    def _take_over(self, begun: Continuation) -> None:
        """Weights and measurements of replicas whose budget has grown."""
        weights = begun.state.weights
        for name, tensor in {**self.parameters_by_name, **self.buffers_by_name}.items():
            tensor.detach().copy_(weights[name])
        self.history.take_over(begun)
        self.finished_steps, self._earlier_seconds = begun.state.step, begun.seconds

    def _take_over_moments(self, begun: Continuation) -> None:
        optimizer = self._optimizer
        assert isinstance(optimizer, ElementwiseOptimizer)
        for moment, own in optimizer.moments.items():
            taken = begun.state.moments_of(moment)
            for name, tensor in own.items():
                tensor.copy_(taken[name])

    @property
    def _optimizer(self) -> StackedOptimizer:
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        found: StackedOptimizer = optimizer
        return found

    def _evaluate(self) -> None:
        optimizer = self._optimizer
        with optimizer.evaluated() if isinstance(optimizer, ReplicaOptimizer) else nullcontext():
            self._measure()
        self._pass_over_the_stopped()
        if self._plain is None:
            self._narrow()

    def _measure(self) -> None:
        step = self.finished_steps
        if self._plain is not None:
            self._plain.gather_buffers()
        parameters, buffers = self.parameters_by_name, self.buffers_by_name
        noise = noise_keys(self._train_keys, range(step, step + 1), call=1)[0]
        samples = self._training_samples(step)
        measured = self._evaluator.measure(parameters, buffers, samples, noise)
        columns = measured.columns
        # Before the first step there is no training loss: 0 / 0.
        columns["train_loss"] = (self._loss_sum / self._interval_steps).cpu().numpy()
        if self._interval_steps:
            finite = measured.finite & np.isfinite(columns["train_loss"])
            measured = replace(measured, finite=finite)
        interval = self._loss_sum, self._interval_steps
        self._reset_interval()
        self.history.record(measured, self._rows, {**parameters, **buffers})
        if step == self.history.points[-1] and self._keeps_state:
            self._keep_state(*interval)
        if somebody_reads(self.trainer):
            self._log(self.history.measurements[-1])

    def _keep_state(self, loss: Tensor, interval: int) -> None:
        """Of the replicas that trained to the end, where all of it is in stacked tensors."""
        optimizer = self._optimizer
        if self._plain is not None or not isinstance(optimizer, ElementwiseOptimizer):
            return
        diverged = self.outcomes.diverged
        places = [i for i, r in enumerate(self._rows) if r < self._count and not diverged[r]]
        weights = {**self.parameters_by_name, **self.buffers_by_name}
        whole = TrainingState.of(weights, optimizer.moments, loss, (self.finished_steps, interval))
        self.state = whole.rows(places, [self._rows[place] for place in places])

    def _log(self, measured: Measurement) -> None:
        # Lightning takes "step" for the loggers' own; it would count chunks.
        logged = {"step": float(self.finished_steps)}
        logged["replicas_solved"] = float(self.outcomes.solved.sum())
        self.log_dict({**logged, **medians(measured.columns)}, batch_size=1)

    def _pass_over_the_stopped(self) -> None:
        if self._plain is not None:
            self._plain.running = self.outcomes.running.tolist()

    @torch.no_grad()
    def _narrow(self) -> None:
        """Go on with a narrower stack where enough replicas have stopped."""
        running = [r < self._count and bool(self.outcomes.running[r]) for r in self._rows]
        places = narrower(running, self._narrowing)
        if places is None:
            return
        self._narrow_tensors(places)
        self._optimizer.narrow(places)
        self._narrow_data(places)
        self._rows = [self._rows[place] for place in places]
        self._reset_interval()
        self._begin_stepping()

    def _narrow_tensors(self, places: list[int]) -> None:
        """Leave some rows of parameters and buffers."""
        for parameter in self._stacked:
            parameter.data = rows_of_stack(parameter.detach(), places)
            parameter.grad = None
        for index in range(len(self._buffer_names)):
            name = f"stacked_buffer_{index}"
            setattr(self, name, rows_of_stack(getattr(self, name), places))

    def _narrow_data(self, places: list[int]) -> None:
        self._train_keys = rows_of_stack(self._train_keys, places)
        self._masks = rows_of_stack(self._masks, places)
        self._teachers = rows_of_stack(self._teachers, places)
        self._data = self._data.narrowed(places)
        self._evaluator.narrow(places)

    def _on_device(self, state: State) -> State:
        """Weights of another cell, on the device and in the precision of this training."""
        return {
            name: tensor.to(self.device, self._precision if tensor.is_floating_point() else None)
            for name, tensor in state.items()
        }

    def _reset_interval(self) -> None:
        self._loss_sum = torch.zeros(self.width, dtype=torch.float64, device=self.device)
        self._interval_steps = 0

    def _training_samples(self, step: int) -> Batch | None:
        """The finite training set as it stands at a step, if there is one."""
        with torch.autocast(self.device.type, enabled=False):
            samples = self._data.samples_at(step)
        return None if samples is None else cast_batch(samples, self._precision)

    def _draw(self, steps: range) -> Batch:
        # Under autocast a task's own arithmetic would be rounded.
        with torch.autocast(self.device.type, enabled=False):
            batches = self._data.batches(steps, self.cell.batch_size)
        return cast_batch(batches, self._precision)

    def _noise(self, steps: range) -> Tensor:
        return noise_keys(self._train_keys, steps)


def _count_steps(trainer: pl.Trainer, steps: int) -> None:
    """Let Lightning's `global_step` count optimizer steps, which it does not see."""
    progress = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    for tracked in (progress.total, progress.current):
        tracked.ready += steps
        tracked.completed += steps
