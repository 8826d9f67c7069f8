"""Cells whose steps are compiled: the record says so, and an unfinished one goes on like that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch._inductor
from torch import fx
from typer.testing import CliRunner

import synthbench as sb
from synthbench.cli.main import app
from synthbench.errors import ConfigurationError
from synthbench.plan.cell import Cell
from tests.engine.authored import Branching
from tests.evaluation.notes import Notes
from tests.evaluation.test_resumption import Interrupt


@pytest.fixture
def cell(small_cell: Cell) -> Cell:
    """Two blocks of two replicas."""
    protocol = sb.Protocol(
        budget=320, seeds=4, until="budget", evaluation_samples=128, resolution=0.5
    )
    return replace(small_cell, protocol=protocol)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[fx.GraphModule]]:
    """The graphs that were handed to the compiler, which gives them back as they are."""
    graphs: list[fx.GraphModule] = []

    def compile_(graph: fx.GraphModule, *_: Any, **__: Any) -> fx.GraphModule:
        graphs.append(graph)
        return graph

    monkeypatch.setattr(torch._inductor, "standalone_compile", compile_)
    yield graphs


def settings(notes: Notes | None = None, **changes: Any) -> sb.Settings:
    trainer = sb.TrainerOptions("cpu", checkpoint_seconds=0)
    return sb.Settings(trainer, replicas_per_block=2, listener=notes or Notes(), **changes)


def test_the_record_names_the_executor(
    cell: Cell, compiled: list[fx.GraphModule], weighed: None, out: Path
) -> None:
    notes = Notes()
    (always,) = sb.evaluate_cells([cell], out / "a", settings(notes, compile="always"))
    assert always.record.compute.executor == "compiled" and len(compiled) == 1
    assert [note.split(" is ")[1].split(",")[0] for note in notes.messages] == ["compiled"]
    for wanted in ("never", "auto"):
        (result,) = sb.evaluate_cells([cell], out / wanted, settings(compile=wanted))
        assert result.record.compute.executor == "replayed"
        # The graph is run as it stands, so the numbers are those of a replay.
        assert result.measured.trajectories.table.equals(always.measured.trajectories.table)
    assert len(compiled) == 1


def test_a_compiled_training_learns_the_same(cell: Cell, out: Path) -> None:
    """With the compiler itself."""
    tables = {}
    for wanted in ("always", "never"):
        (result,) = sb.evaluate_cells([cell], out / wanted, settings(compile=wanted))
        tables[wanted] = result.measured.trajectories.table["loss"].to_numpy()
    assert tables["always"] == pytest.approx(tables["never"], rel=1e-3)


def test_an_unfinished_run_goes_on_as_it_began(
    cell: Cell, compiled: list[fx.GraphModule], out: Path
) -> None:
    begun = settings(compile="always")
    stopped = replace(begun, trainer=replace(begun.trainer, callbacks=(Interrupt(),)))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate_cells([cell], out, stopped)
    notes = Notes()
    (result,) = sb.evaluate_cells([cell], out, settings(notes, compile="never"))
    assert [note.split(" in ")[0] for note in notes.messages] == [
        "2 of 4 replicas are kept; training the other 2",
        "continuing the unfinished run",
    ]
    assert result.record.compute.executor == "compiled" and len(compiled) == 2


def test_where_nothing_compiles_the_cell_is_replayed(
    cell: Cell, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no compiler\nand a long trace")

    monkeypatch.setattr(torch._inductor, "standalone_compile", fail)
    notes = Notes()
    (result,) = sb.evaluate_cells([cell], out, settings(notes, compile="always"))
    assert result.record.compute.executor == "replayed"
    assert notes.messages == [
        'the step of "mlp width=16" is replayed, not compiled (RuntimeError: no compiler)'
    ]


def test_what_is_not_recorded_is_not_compiled(
    cell: Cell, compiled: list[fx.GraphModule], out: Path
) -> None:
    plain = replace(cell, model=Branching())
    notes = Notes()
    (result,) = sb.evaluate_cells([plain], out, settings(notes, compile="always"))
    assert result.record.compute.executor is None and not compiled
    assert any("not compiled (it is not recorded)" in note for note in notes.messages)


def test_other_words_are_refused() -> None:
    with pytest.raises(ConfigurationError, match='did you mean "always"'):
        sb.Settings(compile="alwys")  # type: ignore[arg-type]
    flags = ["eval", "-t", "sparse-parity n=10 k=2", "-m", "mlp", "--compile", "sometimes"]
    found = CliRunner().invoke(app, flags)
    assert found.exit_code and "auto, always, never" in str(found.exception)
