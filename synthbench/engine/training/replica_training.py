"""The LightningModule that trains one block of replicas."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from synthbench.contracts.batch import Batch
from synthbench.contracts.recipe import Optimizer
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import (
    Replicas,
    stack_modules,
    trained_parameters,
    true_dtype,
)
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import BY_DEFAULT, Execution, Way
from synthbench.engine.data.sampling import batch_at, batch_bytes, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.optimizers.build import (
    build_optimizer,
    clip_per_replica,
    learning_rate_factor,
)
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.training.cell_functions import CellFunctions, functions_of
from synthbench.engine.training.chunks import Chunk, ChunkSource
from synthbench.engine.training.inheritance import Inherited, prune, pruned_gradients
from synthbench.engine.training.outcomes import Outcomes
from synthbench.engine.training.own_gradients import OwnGradients
from synthbench.engine.training.references import Columns
from synthbench.engine.training.scoring import Evaluator, Measurement
from synthbench.engine.training.snapshots import Snapshots, named_snapshots, snapshot
from synthbench.engine.training.teaching import training_loss
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.plan.schedule import evaluation_steps
from synthbench.streams import keys_of, noise_keys

CHUNK_BYTES = 16 * 2**20
"""Training data drawn at once: enough to spread the cost of a call, not to leave the cache."""
LONGEST_CHUNK = 64


class ReplicaTraining(pl.LightningModule):
    """Trains R replicas in lock-step; one epoch runs from one evaluation point to the next.

    Each `training_step` runs a chunk of optimizer steps, so Lightning's loop costs little;
    each validation scores every replica and decides which are done. A checkpoint needs only
    the parameters, the optimizer and the measurements: data are functions of (seed, step).
    """

    def __init__(
        self,
        cell: Cell,
        seeds: list[ReplicaSeeds],
        execution: Execution = BY_DEFAULT,
        functions: CellFunctions | None = None,
        inherited: Inherited | None = None,
        kept_steps: Sequence[int] = (),
    ) -> None:
        """seeds: those of the R replicas; execution: how they are trained.

        functions: those of the cell, where it has other blocks too. inherited: what the replicas
        take over from other cells. kept_steps: evaluations whose weights are kept.
        """
        super().__init__()
        self.automatic_optimization = False
        self.cell = cell
        self.replica_count = len(seeds)
        modules = build_modules(cell.model, cell.interface, [s.init for s in seeds])
        # Other people's optimizers may look at the parameters that the author made.
        special = isinstance(cell.model.recipe.optimizer, Optimizer)
        self._owners = [trained_parameters(m) for m in modules] if special else None
        replicas = _replicas(cell, modules, execution)
        self._inherited = inherited or Inherited()
        self._inherited.begin(replicas.parameters, replicas.buffers)
        self._plain = replicas if isinstance(replicas, PlainReplicas) else None
        self._own_gradients: OwnGradients | None = None
        self._names, self._buffer_names = list(replicas.parameters), list(replicas.buffers)
        self._stacked = nn.ParameterList(nn.Parameter(p) for p in replicas.parameters.values())
        for index, tensor in enumerate(replicas.buffers.values()):
            self.register_buffer(f"stacked_buffer_{index}", tensor)
        self._seeds = seeds
        shared = functions or functions_of(cell, replicas, execution.way)
        self._gradients, self._teach = shared.gradients, shared.teach
        self._evaluator = Evaluator(cell, replicas, execution.way, shared.scores)
        self.points = evaluation_steps(cell.steps, cell.protocol.resolution)
        self.outcomes = Outcomes(len(seeds), cell.protocol.hold, cell.protocol.until == "solved")
        self.finished_steps = 0
        self.measurements: list[Measurement] = []
        self.final: State = {}
        self._kept_steps, self._snapshots = tuple(kept_steps), Snapshots()
        self._chunk_length = 1
        self._earlier_seconds = 0.0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall time spent on this block, sessions before a resumption included."""
        return self._earlier_seconds + time.monotonic() - self._started

    @property
    def parameters_by_name(self) -> State:
        """Stacked parameters (R, ...), by the names the author's module gives them."""
        return dict(zip(self._names, self._stacked, strict=True))

    @property
    def buffers_by_name(self) -> State:
        """Stacked buffers (R, ...)."""
        return {n: getattr(self, f"stacked_buffer_{i}") for i, n in enumerate(self._buffer_names)}

    @property
    def reference_scores(self) -> dict[str, Columns]:
        """Reference -> column -> (R, ...), on the test sets."""
        return self._evaluator.reference_scores

    @property
    def snapshots(self) -> State:
        """`STEP/NAME` -> weights (R, ...) at the evaluations that are kept."""
        return named_snapshots(self._snapshots, self._kept_steps, self.final)

    def train_dataloader(self) -> DataLoader[Chunk]:
        """Chunks of steps up to the next evaluation point.

        The loader gets a generator of its own, or it would draw from the global one.
        """
        source = ChunkSource(self.points, self._chunk_length, lambda: self.finished_steps)
        return DataLoader(source, batch_size=None, generator=torch.Generator())

    def val_dataloader(self) -> DataLoader[int]:
        """One validation batch per epoch: the evaluation of all replicas."""
        return DataLoader([0], batch_size=None, generator=torch.Generator())  # type: ignore[arg-type]

    def configure_optimizers(self) -> Any:
        """The recipe's optimizer and, unless the rate is constant, its schedule."""
        recipe = self.cell.model.recipe
        keys = keys_of([seeds.train for seeds in self._seeds])
        optimizer = build_optimizer(recipe, self.parameters_by_name, self._owners, keys)
        if recipe.schedule == "constant" and not recipe.warmup:
            return optimizer
        return [optimizer], [LambdaLR(optimizer, learning_rate_factor(recipe, self.cell.steps))]

    @torch.no_grad()
    def on_fit_start(self) -> None:
        """Draw the worlds and the evaluation set, once the device is known."""
        self._precision = next(self._stacked.parameters()).dtype
        world_keys, self._train_keys, eval_keys, probe_keys = (
            keys_of([getattr(seeds, purpose) for seeds in self._seeds]).to(self.device)
            for purpose in ("world", "train", "eval", "probe")
        )
        if self._plain is not None:
            self._plain.adopt(self.parameters_by_name, self.buffers_by_name)
            self._pass_over_the_stopped()
        self._worlds = draw_worlds(self.cell.task, world_keys)
        self._masks = self._inherited.masks(self.parameters_by_name)
        if self._plain is not None:
            loss, clip = training_loss(self.cell), self.cell.model.recipe.clip
            self._own_gradients = OwnGradients(self._plain, loss, self._masks, clip)
        self._teachers = [self._on_device(teacher) for teacher in self._inherited.teachers]
        with torch.autocast(self.device.type, enabled=False):
            self._training_data = training_data(self.cell, self._worlds, self._train_keys)
        # Of a curriculum those of its start, also where an unfinished training goes on.
        fitted_on = self._training_samples(step=0)
        self._evaluator.prepare(self._worlds, eval_keys, probe_keys, self._precision, fitted_on)
        one_step = batch_bytes(self._draw(range(1)))
        self._chunk_length = min(max(CHUNK_BYTES // max(one_step, 1), 1), LONGEST_CHUNK)
        self._reset_interval()
        if not self.final:
            # A replica that diverges keeps NaN.
            self.final = {
                name: torch.full_like(tensor.detach(), _undefined(tensor), device="cpu")
                for name, tensor in {**self.parameters_by_name, **self.buffers_by_name}.items()
            }

    @torch.no_grad()
    def on_train_start(self) -> None:
        """Evaluate the untrained replicas; stop at once if a checkpoint was of a finished block."""
        if not self.measurements:
            with self.trainer.precision_plugin.val_step_context():
                self._evaluate()
        if not self.outcomes.running.any():
            self.trainer.should_stop = True

    def training_step(self, chunk: Chunk, _: int) -> None:
        """Run the optimizer steps of one chunk."""
        optimizer, scheduler = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer)
        assert scheduler is None or isinstance(scheduler, LambdaLR)
        batches = self._draw(range(chunk.start, chunk.stop))
        noise = noise_keys(self._train_keys, range(chunk.start, chunk.stop))
        losses = []
        for index in range(chunk.stop - chunk.start):
            batch = self._taught(batch_at(batches, index), chunk.start + index)
            losses.append(self._step(optimizer, batch, noise[index]))
            prune(self._masks, self.parameters_by_name)
            if scheduler is not None:
                scheduler.step()
        # One by one, so that rounding does not depend on how steps are cut into chunks. In
        # float64 the sum of finite float32 losses is finite.
        for loss in losses:
            self._loss_sum += loss
        self._interval_steps += len(losses)
        self.finished_steps = chunk.stop

    def _step(self, optimizer: LightningOptimizer, batch: Batch, noise: Tensor) -> Tensor:
        """One optimizer step of all replicas; returns their losses (R,) before it."""
        inner, clip = optimizer.optimizer, self.cell.model.recipe.clip
        if isinstance(inner, ReplicaOptimizer) and inner.needs.own_gradients:
            assert self._own_gradients is not None
            return self._own_gradients.step(inner, batch, noise)
        parameters, buffers = self.parameters_by_name, self.buffers_by_name
        gradients, losses = self._gradients(parameters, buffers, batch, noise)
        if self._masks:
            gradients = pruned_gradients(self._masks, gradients)
        for name, parameter in parameters.items():
            parameter.grad = gradients[name]
        if clip is not None:
            clip_per_replica(list(self._stacked), clip)
        optimizer.step()
        return losses

    def validation_step(self, _: int, __: int) -> None:
        """Score all replicas; stop the block when every one is done."""
        self._evaluate()
        if not self.outcomes.running.any():
            self.trainer.should_stop = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the measurements so far."""
        names = self.measurements[0].columns
        checkpoint["synthbench"] = {
            "finished_steps": self.finished_steps,
            "seconds": self.seconds,
            "columns": {
                n: torch.tensor(np.stack([m.columns[n] for m in self.measurements])) for n in names
            },
            "finite": torch.tensor(np.stack([m.finite for m in self.measurements])),
            "met": torch.tensor(np.stack([m.met for m in self.measurements])),
            "final": self.final,
            "snapshots": self._snapshots,
            "attributes": [] if self._plain is None else self._plain.attributes(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the measurements back and replay the outcomes they led to."""
        saved = checkpoint["synthbench"]
        columns = {name: values.numpy() for name, values in saved["columns"].items()}
        for index in range(len(next(iter(columns.values())))):
            found = {name: values[index] for name, values in columns.items()}
            self._record(Measurement(found, *(saved[n][index].numpy() for n in ("finite", "met"))))
        self.final, self._snapshots = saved["final"], saved.get("snapshots", {})
        self.finished_steps = saved["finished_steps"]
        self._earlier_seconds = saved["seconds"]
        if self._plain is not None:
            self._plain.set_attributes(saved["attributes"])

    def _evaluate(self) -> None:
        optimizer = self.optimizers(use_pl_optimizer=False)
        with optimizer.evaluated() if isinstance(optimizer, ReplicaOptimizer) else nullcontext():
            self._measure()

    def _measure(self) -> None:
        step = self.finished_steps
        if self._plain is not None:
            self._plain.gather_buffers()
        measured = self._evaluator.measure(
            self.parameters_by_name,
            self.buffers_by_name,
            self._training_samples(step),
            noise_keys(self._train_keys, range(step, step + 1), call=1)[0],
        )
        columns = measured.columns
        # Before the first step there is no training loss: 0 / 0.
        columns["train_loss"] = (self._loss_sum / self._interval_steps).cpu().numpy()
        if self._interval_steps:
            finite = measured.finite & np.isfinite(columns["train_loss"])
            measured = replace(measured, finite=finite)
        self._reset_interval()
        stopping = self._record(measured)
        if stopping.any():
            self._keep_weights(torch.from_numpy(stopping))
        self._pass_over_the_stopped()
        self._take_snapshot()
        solved = float(self.outcomes.solved.sum())
        # Lightning takes "step" for the loggers' own; it would count chunks.
        logged = {"step": float(step), "replicas_solved": solved}
        self.log_dict({**logged, **_medians(columns)}, batch_size=1)

    def _pass_over_the_stopped(self) -> None:
        if self._plain is not None:
            self._plain.running = self.outcomes.running.tolist()

    def _record(self, measured: Measurement) -> NDArray[np.bool_]:
        """Append one evaluation; returns which replicas stop at it."""
        index = len(self.measurements)
        self.measurements.append(measured)
        stopping = self.outcomes.update(index, measured.met, measured.finite)
        if self.points[index] == self.points[-1]:
            stopping |= self.outcomes.finish(index)
        return stopping

    def _keep_weights(self, stopping: Tensor) -> None:
        """Copy the weights of replicas that stop now; later steps no longer count."""
        for name, tensor in {**self.parameters_by_name, **self.buffers_by_name}.items():
            now = tensor.detach()[stopping.to(tensor.device)]
            self.final[name][stopping] = now.cpu()

    def _take_snapshot(self) -> None:
        """Copy all weights if those of this evaluation are kept."""
        step = self.points[len(self.measurements) - 1]
        if step in self._kept_steps:
            now = {**self.parameters_by_name, **self.buffers_by_name}
            running = torch.from_numpy(self.outcomes.running)
            self._snapshots[step] = snapshot(now, self.final, running)

    def _taught(self, batch: Batch, step: int) -> Batch:
        """The batch with the outputs of whoever teaches at this step, if anybody does."""
        if self._teach is None or self.cell.teacher is None:
            return batch
        place = self.cell.teacher.moment_of(step, self.cell.steps)
        return self._teach(self._teachers[place], batch)

    def _on_device(self, state: State) -> State:
        """Weights of another cell, on the device and in the precision of this training."""
        return {
            name: tensor.to(self.device, self._precision if tensor.is_floating_point() else None)
            for name, tensor in state.items()
        }

    def _reset_interval(self) -> None:
        self._loss_sum = torch.zeros(self.replica_count, dtype=torch.float64, device=self.device)
        self._interval_steps = 0

    def _training_samples(self, step: int) -> Batch | None:
        """The finite training set as it stands at a step, if there is one."""
        with torch.autocast(self.device.type, enabled=False):
            samples = self._training_data.samples_at(step)
        return None if samples is None else cast_batch(samples, self._precision)

    def _draw(self, steps: range) -> Batch:
        # Under autocast a task's own arithmetic would be rounded.
        with torch.autocast(self.device.type, enabled=False):
            batches = self._training_data.batches(steps, self.cell.batch_size)
        return cast_batch(batches, self._precision)


def _undefined(tensor: Tensor) -> float:
    return torch.nan if tensor.is_floating_point() else 0


def _medians(columns: Columns) -> dict[str, float]:
    """Of the numbers; a curve is no line of a logger's."""
    numbers = {name: values for name, values in columns.items() if values.ndim == 1}
    return {f"median/{name}": _median(values) for name, values in numbers.items()}


def _median(values: NDArray[np.float64]) -> float:
    """Of the replicas that have a value: one that has stopped may have none."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan


def _replicas(
    cell: Cell, modules: list[nn.Module], execution: Execution
) -> Replicas | PlainReplicas:
    """The replicas as they are built, in the precision of the protocol."""
    dtype = true_dtype(cell.protocol.precision)
    if execution.way is Way.PLAIN:
        return PlainReplicas.of(cell.model, modules, cell.interface, execution.draws, dtype)
    return stack_modules(cell.model, modules, cell.interface).to(dtype)
