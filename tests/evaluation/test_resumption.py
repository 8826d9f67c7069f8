"""An unfinished run goes on only where the rest of it would have the same bits.

`pytest -m slow` adds a third variable of its libraries.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.evaluation import record_writing
from synthbench.evaluation.forecast import forecast_cells
from synthbench.plan.cell import Cell
from tests.evaluation.notes import Notes


class Interrupt(pl.Callback):
    """Ctrl-C after the second block has begun."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if pl_module._seeds[0].init == 2 and trainer.current_epoch == 1:
            raise KeyboardInterrupt


GOES_ON = ["2 of 4 replicas are kept; training the other 2", "continuing the unfinished run"]


@pytest.fixture(scope="module")
def cell(small_cell: Cell) -> Cell:
    """Two blocks of two replicas."""
    protocol = sb.Protocol(budget=160, seeds=4, until="budget", evaluation_samples=128)
    return replace(small_cell, protocol=protocol)


@pytest.fixture(scope="module")
def halves() -> sb.Settings:
    return sb.Settings(sb.TrainerOptions("cpu", checkpoint_seconds=0), replicas_per_block=2)


@pytest.fixture(scope="module")
def interrupted(cell: Cell, halves: sb.Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished block and a checkpoint of the other."""
    out = tmp_path_factory.mktemp("interrupted")
    stopped = replace(halves.trainer, callbacks=(Interrupt(),))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate_cells([cell], out, replace(halves, trainer=stopped))
    assert len(list(out.glob("*/.partial/*.parquet"))) == 1
    assert len(list(out.glob("*/.partial/*.ckpt"))) == 1
    return out


@pytest.fixture
def unfinished(interrupted: Path, out: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(interrupted, out))


def finished(cell: Cell, halves: sb.Settings, out: Path) -> tuple[sb.CellResult, list[str]]:
    notes = Notes()
    (result,) = sb.evaluate_cells([cell], out, replace(halves, listener=notes))
    return result, notes.messages


def test_with_other_threads_it_goes_on_and_is_counted(
    cell: Cell, halves: sb.Settings, unfinished: Path
) -> None:
    """A run keeps the number of threads that was chosen for it, whatever torch is told later."""
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        assert forecast_cells([cell], unfinished, halves)[0].finished == 2
        result, messages = finished(cell, halves, unfinished)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert [m.partition(" in ")[0] for m in messages] == GOES_ON
    assert result.record.environment.threads == 1


def test_a_file_where_the_unfinished_run_belongs_is_removed(
    cell: Cell, halves: sb.Settings, unfinished: Path
) -> None:
    (folder,) = unfinished.glob("*/.partial")
    shutil.rmtree(folder)
    folder.touch()
    _, messages = finished(cell, halves, unfinished)
    assert "starting again" in messages[0] and not folder.exists()


def test_the_same_processor_goes_on(cell: Cell, halves: sb.Settings, unfinished: Path) -> None:
    _, messages = finished(cell, halves, unfinished)
    assert [message.partition(" in ")[0] for message in messages] == GOES_ON


def test_another_processor_starts_again(
    cell: Cell, halves: sb.Settings, unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with another `ATEN_CPU_CAPABILITY`, whose kernels round differently."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    result, (message,) = finished(cell, halves, unfinished)
    assert "(DEFAULT), where last bits may differ; starting again" in message
    assert result.record.environment.device_name.endswith("(DEFAULT)")


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2", "MKL_ENABLE_INSTRUCTIONS=SSE4_2"),
        pytest.param("MKL_CBWR", "COMPATIBLE", "MKL_CBWR=COMPATIBLE", marks=pytest.mark.slow),
        ("ONEDNN_MAX_CPU_ISA", "AVX2\u202e x", "ONEDNN_MAX_CPU_ISA=AVX2??x"),
    ],
)
def test_other_instructions_of_its_libraries_start_again(
    cell: Cell,
    halves: sb.Settings,
    unfinished: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    shown: str,
) -> None:
    monkeypatch.setenv(name, value)
    result, (message,) = finished(cell, halves, unfinished)
    assert f"; {shown})" in message and "starting again" in message
    assert result.record.environment.device_name.endswith(f"; {shown})")


def test_other_settings_of_torch_start_again(
    cell: Cell, halves: sb.Settings, unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_writing, "changed_settings", lambda: {"flush_denormal": True})
    _, (message,) = finished(cell, halves, unfinished)
    assert "settings of torch" in message and "starting again" in message
