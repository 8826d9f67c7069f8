"""Lightning's own flags: precision, callbacks, loggers.

`pytest -m slow` adds a checkpoint of another precision.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import train_block
from synthbench.errors import ConfigurationError
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.authored import Uncast


def with_protocol(cell: Cell, **changes: object) -> Cell:
    return replace(cell, protocol=cell.protocol.model_copy(update=changes))


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed", "bf16-true"])
def test_precisions_train_and_differ(
    precision: str,
    small_result: sb.CellResult,
    small_cell: Cell,
    out: Path,
    settings: sb.Settings,
) -> None:
    assert small_cell.protocol.precision == "32-true"
    cell = with_protocol(small_cell, precision=precision, resolution=0.2)
    other = sb.evaluate_cells([cell], out, settings)[0]
    results = (small_result, other)
    losses = [r.trajectories.to_pandas().query("step == 31")["loss"] for r in results]
    assert not np.array_equal(losses[0], losses[1])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5 if precision == "64-true" else 0.1)
    assert other.record.summary.solved >= 4


def test_double_precision_keeps_double_weights(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    cell = with_protocol(small_cell, precision="64-true", budget=320)
    result = sb.evaluate_cells([cell], out, replace(settings, keep_weights=True))[0]
    from safetensors.numpy import load_file

    weights = load_file(result.folder / "weights.safetensors")
    assert {w.dtype for w in weights.values()} == {np.dtype("float64")}


class Count(pl.Callback):
    """Counts Lightning's events."""

    def __init__(self) -> None:
        self.validations = 0
        self.steps = 0

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.validations += 1
        self.steps = trainer.global_step


def test_callbacks_and_loggers_are_lightnings_own(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    count, logger = Count(), CSVLogger(str(out), "log")
    options = replace(settings.trainer, callbacks=(count,), logger=logger)
    cell = with_protocol(small_cell, budget=3_200, until="budget", resolution=0.3)
    result = sb.evaluate_cells([cell], out, replace(settings, trainer=options))[0]
    evaluations = result.measured.trajectories.by_replica("step")[0]
    assert count.validations == len(evaluations) - 1, "the first evaluation is before training"
    assert count.steps == evaluations[-1] == 100, "global_step counts optimizer steps"
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["median/accuracy"]]
    final = np.median(
        [scores[-1] for scores in result.measured.trajectories.by_replica("accuracy")]
    )
    assert float(rows[-1]["median/accuracy"]) == pytest.approx(final, abs=1e-6)


def test_clipping_and_schedules_reach_the_training_step(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    def first_rows(reference: str) -> np.ndarray:
        cell = replace(
            with_protocol(small_cell, budget=640, resolution=0.5),
            model=installed().model(reference),
        )
        return sb.evaluate_cells([cell], out, settings)[0].measured.trajectories.column("loss")

    plain = first_rows("mlp width=16")
    still = first_rows("mlp width=16 clip=1e-12")
    assert still == pytest.approx(np.repeat(still[:: len(still) // 6], len(still) // 6), abs=1e-6)
    assert np.abs(plain - still).max() > 1e-3
    assert not np.array_equal(plain, first_rows("mlp width=16 schedule=linear"))
    assert not np.array_equal(plain, first_rows("mlp width=16 warmup=10"))


class Stop(pl.Callback):
    """Ends training early, as EarlyStopping would."""

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = True


def test_a_callback_that_stops_training_makes_no_record(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    options = replace(settings.trainer, callbacks=(Stop(),))
    with pytest.raises(ConfigurationError, match="remove the callback that stops it"):
        sb.evaluate_cells([small_cell], out, replace(settings, trainer=options))
    assert not list(out.rglob("record.json"))


@pytest.mark.parametrize(
    "precision", [pytest.param("64-true", marks=pytest.mark.slow), "bf16-true", "32-true"]
)
def test_a_checkpoint_resumes_to_the_same_bits_in_every_precision(
    precision: str, small_cell: Cell, tmp_path: Path
) -> None:
    cell = with_protocol(small_cell, precision=precision, budget=640, until="budget")
    block = Block(0, tuple(cell.replica_seeds()), 6)
    whole = train_block(cell, block, sb.TrainerOptions("cpu"), BY_DEFAULT, tmp_path / "none")
    path = tmp_path / "checkpoint"
    often = sb.TrainerOptions("cpu", callbacks=(Interrupt(),), checkpoint_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        train_block(cell, block, often, BY_DEFAULT, path)
    assert path.exists()
    resumed = train_block(cell, block, sb.TrainerOptions("cpu"), BY_DEFAULT, path)
    assert resumed.table.equals(whole.table)


class Interrupt(pl.Callback):
    """Ctrl-C in the middle."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 10:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "model", ["transformer layers=1 dropout=0.1", "transformer layers=1 positions=rotary mlp=2"]
)
def test_transformers_train_in_mixed_precision(
    model: str, out: Path, settings: sb.Settings
) -> None:
    protocol = sb.Protocol(
        budget=320,
        seeds=2,
        until="budget",
        precision="bf16-mixed",
        evaluation_samples=128,
        resolution=0.5,
    )
    result = sb.evaluate(
        "markov length=6 last=2", model, protocol=protocol, out=out, settings=settings
    )
    assert result.record.compute.looped is None
    assert np.isfinite(result.measured.trajectories.column("kl")).all()


def test_what_autocast_is_told_to_leave_alone_stays_in_float32(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    """A network that switches autocast off is the same in mixed precision as in full."""
    cell = with_protocol(replace(small_cell, model=Uncast()), budget=480, resolution=0.5)
    mixed, full = (
        sb.evaluate_cells([with_protocol(cell, precision=p)], out / p, settings)[0]
        for p in ("bf16-mixed", "32-true")
    )
    columns = [r.measured.trajectories.column("loss") for r in (mixed, full)]
    assert np.array_equal(*columns)
