"""Lightning infers nothing from schedulers, launchers, variables or files around it."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import pytorch_lightning as pl
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning import callbacks
from pytorch_lightning.loggers import CSVLogger

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import train_block
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.engine.training.device import find_device
from synthbench.errors import ConfigurationError
from synthbench.plan.cell import Cell

SLURM = {
    "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "sweep", "SLURM_NTASKS": "4", "SLURM_PROCID": "3",
    "SLURM_LOCALID": "3", "SLURM_NODEID": "1", "SLURM_NODELIST": "node[1-2]",
    "SLURM_NTASKS_PER_NODE": "2",
}  # fmt: skip
VARIABLES = {
    "slurm": SLURM,
    "lsf": {
        "LSB_JOBID": "7", "LSB_DJOB_RANKFILE": "/nowhere", "JSM_NAMESPACE_LOCAL_RANK": "1",
        "JSM_NAMESPACE_RANK": "1", "JSM_NAMESPACE_SIZE": "2", "LSB_AFFINITY_HOSTFILE": "/nowhere",
    },
    "torchrun": {
        "RANK": "1", "LOCAL_RANK": "1", "GROUP_RANK": "0", "WORLD_SIZE": "2",
        "MASTER_ADDR": "nowhere", "MASTER_PORT": "1", "TORCHELASTIC_RUN_ID": "7",
    },
    "kubeflow": {
        "KUBERNETES_PORT": "1", "MASTER_ADDR": "nowhere", "MASTER_PORT": "1", "WORLD_SIZE": "2",
        "RANK": "1",
    },
    "mpi": {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "PMI_RANK": "1"},
    "node": {"NODE_RANK": "1", "LOCAL_RANK": "many"},
    "trainer": {
        "PL_TRAINER_CHECK_VAL_EVERY_N_EPOCH": "2", "PL_TRAINER_LIMIT_TRAIN_BATCHES": "1",
        "PL_TRAINER_MAX_STEPS": "3", "PL_TRAINER_FAST_DEV_RUN": "True",
        "PL_TRAINER_DEVICES": "4", "PL_TRAINER_NUM_NODES": "2", "PL_TRAINER_STRATEGY": "ddp",
        "PL_TRAINER_GRADIENT_CLIP_VAL": "0.1", "PL_TRAINER_DETECT_ANOMALY": "True",
    },
    "tpu": {"TPU_WORKER_ID": "0", "PJRT_DEVICE": "TPU", "XRT_TPU_CONFIG": "x"},
}  # fmt: skip


@pytest.fixture(scope="module")
def cell(small_cell: Cell) -> Cell:
    """Two replicas, twenty steps, nine evaluations."""
    protocol = sb.Protocol(
        budget=640, seeds=2, until="budget", evaluation_samples=128, resolution=0.5
    )
    return replace(small_cell, protocol=protocol)


Train = Callable[..., pa.Table]
"""Trains the cell with some callbacks; its trajectories."""


@pytest.fixture(scope="module")
def train(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Train:
    functions = stacked_functions(cell, Way.TRACED)
    block = Block(0, tuple(cell.replica_seeds()), 2)

    def trained(*given: pl.Callback) -> pa.Table:
        options = sb.TrainerOptions("cpu", callbacks=given)
        checkpoint = tmp_path_factory.mktemp("block") / "checkpoint"
        return train_block(cell, block, options, BY_DEFAULT, checkpoint, functions).table

    return trained


@pytest.fixture(scope="module")
def plain(train: Train) -> pa.Table:
    """Where nothing is around."""
    return train()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which nothing is to be written."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("names", VARIABLES)
def test_variables_change_nothing_and_stay(
    names: str, train: Train, plain: pa.Table, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES[names].items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    assert find_device("auto") == find_device("cpu")
    assert train().equals(plain)
    assert dict(os.environ) == before
    assert not list(here.iterdir())


class Unhandled(pl.Callback):
    """Remembers who would take the signal by which Slurm announces the end of a job."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.handler = signal.getsignal(signal.SIGUSR1)


def test_lightning_takes_no_signal_for_slurm(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    seen = Unhandled()
    train(seen)
    assert seen.handler is signal.SIG_DFL


def test_a_checkpoint_of_slurms_is_not_continued(
    train: Train, plain: pa.Table, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another cell's, or of another block."""
    (here / "hpc_ckpt_1.ckpt").write_bytes(b"of another cell")
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    assert train().equals(plain)


def test_the_fourth_process_of_a_job_logs_too(
    cell: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process has cells of its own."""
    monkeypatch.setattr(rank_zero_only, "rank", 3)
    logger = CSVLogger(str(out), "log")
    options = replace(settings.trainer, logger=logger)
    sb.evaluate_cells([cell], out, replace(settings, trainer=options))
    assert rank_zero_only.rank == 3
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        assert any(row["median/accuracy"] for row in csv.DictReader(file))


def test_a_logger_of_lightnings_choice_writes_below_out(
    cell: Cell, out: Path, here: Path, settings: sb.Settings
) -> None:
    options = replace(settings.trainer, logger=True)
    (result,) = sb.evaluate_cells([cell], out, replace(settings, trainer=options))
    assert len(list(result.folder.glob("lightning_logs/*/metrics.csv"))) == 1
    assert not list(here.iterdir())


@pytest.mark.parametrize("accelerator", ["tpu", "gpu", "nonsense"])
def test_an_accelerator_that_is_not_there_is_one_line(
    accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigurationError, match=f'"{accelerator}" cannot be used') as caught:
        find_device(accelerator)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (lambda: callbacks.ModelCheckpoint(), "keep weights with Settings"),
        (lambda: callbacks.OnExceptionCheckpoint("."), "keep weights with Settings"),
        (lambda: callbacks.TQDMProgressBar(), "progress is shown by SynthBench"),
        (lambda: callbacks.EarlyStopping("loss"), "Protocol"),
        (lambda: callbacks.Timer("00:00:01:00"), "Protocol"),
        (lambda: callbacks.StochasticWeightAveraging(0.1), "changes the training"),
        (lambda: callbacks.GradientAccumulationScheduler({0: 2}), "changes the training"),
        (lambda: callbacks.LearningRateFinder(), "changes the training"),
    ],
)
def test_callbacks_without_a_place_are_refused_by_name(given, advice: str) -> None:
    callback = given()
    message = f"leave out the callback {type(callback).__name__}: .*{advice}"
    with pytest.raises(ConfigurationError, match=message) as caught:
        sb.TrainerOptions(callbacks=(callback,))
    assert "\n" not in str(caught.value)


def test_a_callback_that_lightning_refuses_is_one_line(
    cell: Cell, out: Path, settings: sb.Settings
) -> None:
    options = replace(settings.trainer, callbacks=(callbacks.LearningRateMonitor(),))
    with pytest.raises(ConfigurationError, match=r"LearningRateMonitor.*no logger"):
        sb.evaluate_cells([cell], out, replace(settings, trainer=options))


def test_a_callback_that_only_looks_works(train: Train, plain: pa.Table) -> None:
    assert train(callbacks.ModelSummary()).equals(plain)
