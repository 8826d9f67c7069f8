"""What an evaluation would take, without doing it."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.cli.forecast_table import print_forecasts
from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.errors import ConfigurationError, ModelError
from synthbench.evaluation import forecast as forecast_module
from synthbench.evaluation import jobs, rehearsal
from synthbench.evaluation.data_memory import data_bytes
from synthbench.evaluation.forecast import Forecast, forecast
from synthbench.evaluation.rehearsal import Rehearsal
from synthbench.isolation.threads import threads
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from tests.cli.command import run_command
from tests.engine.authored import Branching

CPU = torch.device("cpu")
MEASURED = Rehearsal(step=0.5, evaluation=2.0, first=7.0, again=3.0, held=1000, peak=None)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is really measured takes no second."""
    monkeypatch.setattr(rehearsal, "REHEARSAL_SECONDS", 0.0)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock: what is measured is always the same."""
    monkeypatch.setattr(forecast_module, "rehearse", lambda *_: MEASURED)
    monkeypatch.setattr(forecast_module.time, "monotonic", lambda: 0.0)


def test_time_work_and_memory_add_up(
    small_cell: sb.Cell, settings: sb.Settings, measured: None
) -> None:
    facts = inspect_cell(small_cell)
    found = forecast(small_cell, facts, CPU, replace(settings, replicas_per_block=2), finished=1)
    points = len(evaluation_steps(400, small_cell.protocol.resolution))
    # Five replicas in blocks of two: three blocks.
    assert found == Forecast(
        small_cell,
        finished=1,
        replicas=5,
        flops=5 * 400 * facts.step_flops,
        seconds=5 * (400 * 0.5 + points * 2.0) + 7.0 + 2 * 3.0,
        memory=1000 + data_bytes(small_cell, 2),
    )


def test_it_is_measured_with_the_threads_that_train(
    small_cell: sb.Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def rehearse(*_: object) -> Rehearsal:
        seen.append(torch.get_num_threads())
        return MEASURED

    monkeypatch.setattr(forecast_module, "rehearse", rehearse)
    with threads(2):
        forecast_module.forecast_cells([small_cell], out, settings)
        assert torch.get_num_threads() == 2
    assert seen == [1]


def test_samples_are_weighed(small_cell: sb.Cell) -> None:
    """Signs and labels of 4 bytes, the support of 8: 256 held out, 64 batches of 32."""
    examples = 256 + 64 * 32
    assert data_bytes(small_cell, 3) == pytest.approx(3 * examples * (10 + 1) * 4, rel=0.1)


def test_a_gpu_says_itself_what_it_took(
    small_cell: sb.Cell, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    peak = replace(MEASURED, peak=12_345)
    monkeypatch.setattr(forecast_module, "rehearse", lambda *_: peak)
    assert forecast(small_cell, inspect_cell(small_cell), CPU, settings).memory == 12_345


def test_a_block_that_does_not_fit_is_halved(
    small_cell: sb.Cell, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def rehearse(cell, block, *_):
        tried.append(block.width)
        if block.width > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return MEASURED

    monkeypatch.setattr(forecast_module, "rehearse", rehearse)
    facts, limit = inspect_cell(small_cell), 3
    forecast(small_cell, facts, CPU, settings)
    assert tried == [6, 3]
    limit = 0
    with pytest.raises(ModelError, match="do not fit into memory; take a smaller model"):
        forecast(small_cell, facts, CPU, settings)


@pytest.mark.parametrize("kind", ["stacked", "plain", "taught"])
def test_what_is_really_measured(small_cell: sb.Cell, settings: sb.Settings, kind: str) -> None:
    cell = {
        "stacked": small_cell,
        "plain": replace(small_cell, model=Branching()),
        "taught": replace(small_cell, teacher=sb.Teacher(small_cell, (100, "last"))),
    }[kind]
    facts = inspect_cell(cell)
    found = forecast(cell, facts, CPU, settings)
    assert (facts.ways.right[0] is Way.PLAIN) == (kind == "plain")
    assert found.seconds > 0 and found.replicas == 6
    # SGD keeps nothing beside parameters and gradients of six replicas.
    assert found.memory == 2 * 4 * facts.parameters * 6 + data_bytes(cell, 6)


def test_what_lies_there_is_not_trained_again(
    small_cell: sb.Cell, small_result: sb.CellResult, settings: sb.Settings
) -> None:
    out = small_result.folder.parent
    other = replace(small_cell, model=installed().model("mlp width=24"))
    taught = replace(other, teacher=sb.Teacher(small_cell))
    before = sorted((p, p.stat().st_mtime_ns) for p in out.rglob("*"))
    found = sb.forecast_cells([small_cell, other], out, settings)
    assert [(each.finished, each.replicas) for each in found] == [(6, 0), (0, 6)]
    assert (found[0].seconds, found[0].flops, found[0].memory) == (0, 0, 0)
    # Its weights were not kept, so that the teacher would be trained anew.
    standing = sb.forecast_cells([taught], out, settings)
    assert [(each.cell.model, each.replicas) for each in standing] == [
        (small_cell.model, 6),
        (other.model, 6),
    ]
    again = sb.forecast_cells([small_cell], out, replace(settings, resume=False))
    assert again[0].replicas == 6
    assert sorted((p, p.stat().st_mtime_ns) for p in out.rglob("*")) == before


def test_replicas_of_an_unfinished_run_are_finished(
    small_cell: sb.Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = jobs.train_block

    def train_block(cell, block, *rest):
        if block.first:
            raise KeyboardInterrupt
        return real(cell, block, *rest)

    few = small_cell.protocol.model_copy(update={"budget": 320})
    cell = replace(small_cell, protocol=few)
    narrow = replace(settings, replicas_per_block=2)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "train_block", train_block)
        with pytest.raises(KeyboardInterrupt):
            sb.evaluate_cells([cell], out, narrow)
    (found,) = sb.forecast_cells([cell], out, narrow)
    assert (found.finished, found.replicas) == (2, 4)


def test_cells_are_refused_as_they_would_be(small_cell: sb.Cell, out: Path) -> None:
    with pytest.raises(ConfigurationError, match="planned twice"):
        sb.forecast_cells([small_cell, small_cell], out)
    poor = small_cell.protocol.model_copy(update={"budget": 1})
    with pytest.raises(ConfigurationError, match="below one batch"):
        sb.forecast_cells([replace(small_cell, protocol=poor)], out)


def test_the_table_sums_up(
    small_cell: sb.Cell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = [
        Forecast(small_cell, 2, 4, 3_000_000, 100.0, 5_000),
        Forecast(small_cell, 6, 0, 0, 0.0, 0),
        Forecast(small_cell, 0, 6, 1_000_000, 20.0, 7_000),
    ]
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    print_forecasts(rows, tmp_path, measured=False)
    *lines, nothing = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and nothing.endswith(str(tmp_path))
    numbers = [line.split() for line in lines]
    assert ["all", "3", "cells", "10", "8", "4M", "120", "s", "7kB"] in numbers
    assert any(row[-5:] == ["0", "6", "-", "-", "-"] for row in numbers)


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys, monkeypatch) -> None:
    out = tmp_path / "runs"
    code, printed, err = run_command(
        capsys, monkeypatch, "eval", "-t", "sparse-parity n=8 k=2", "-m", "mlp width=8", "--seeds",
        "4", "--budget", "6400", "--device", "cpu", "--out", str(out), "--dry-run", columns=80,
    )  # fmt: skip
    assert code == 0 and err == "" and not out.exists()
    row = next(line.split() for line in printed.splitlines() if line.startswith(" mlp width=8"))
    assert row[row.index("4") : row.index("4") + 2] == ["4", "0"]
    assert "nothing is trained" in printed
