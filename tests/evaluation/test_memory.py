"""Running out of memory halves the block and carries on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.errors import ModelError
from synthbench.evaluation import jobs
from synthbench.listeners.listener import BlockProgress, Listener
from synthbench.plan.cell import Cell


@dataclass
class Notes(Listener):
    """Keeps what it is told."""

    messages: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        self.messages.append(message)

    def cell_started(self, cell: Cell) -> None: ...

    def block_advanced(self, progress: BlockProgress) -> None: ...

    def cell_finished(self, record: sb.Record, reused: bool) -> None: ...


def limit_memory(monkeypatch: pytest.MonkeyPatch, widest: int) -> list[int]:
    real, widths = jobs.train_block, []

    def train_block(cell, block, *rest):
        widths.append(block.width)
        if block.width > widest:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(cell, block, *rest)

    monkeypatch.setattr(jobs, "train_block", train_block)
    return widths


def test_blocks_are_halved_and_the_result_is_the_same(
    ten_steps: Cell,
    out: Path,
    settings: sb.Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = sb.evaluate_cells([ten_steps], out / "wide", settings)[0]
    widths, notes = limit_memory(monkeypatch, 3), Notes()
    tight = sb.evaluate_cells([ten_steps], out / "tight", replace(settings, listener=notes))[0]
    assert widths == [6, 3, 3]
    assert notes.messages == ["out of memory: continuing with 3 replicas at once"]
    assert tight.record.compute.replicas_per_block == 3
    assert tight.measured.trajectories.table.equals(wide.measured.trajectories.table)


def test_a_model_that_never_fits_is_refused(
    small_cell: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_memory(monkeypatch, 0)
    with pytest.raises(ModelError, match="do not fit into memory; take a smaller model"):
        sb.evaluate_cells([small_cell], out, settings)


def test_other_errors_are_not_taken_for_memory(
    small_cell: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(jobs, "train_block", fail)
    with pytest.raises(RuntimeError, match="something else"):
        sb.evaluate_cells([small_cell], out, settings)
