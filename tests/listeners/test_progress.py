"""Bars where a person watches, a line now and then elsewhere."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import synthbench as sb
from synthbench.listeners.listener import BlockProgress, PlannedCell, Silent
from synthbench.listeners.log import LogListener
from synthbench.listeners.notebook import NotebookListener
from synthbench.listeners.terminal import TerminalListener
from synthbench.listeners.watching import in_notebook, watching
from synthbench.registry.registry import installed
from tests.engine.authored import Branching


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Screen:
    """A front end that remembers everything it showed."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, html: Any, display_id: bool) -> Screen:
        assert display_id and not self.shown, "one output, changed in place"
        self.update(html)
        return self

    def update(self, html: Any) -> None:
        self.shown.append(str(html.data))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr("IPython.display.display", screen.display)
    return screen


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def plan(cell: sb.Cell, *tasks: str) -> list[PlannedCell]:
    """The cell on several tasks, each of 100 FLOPs a step."""
    return [PlannedCell(replace(cell, task=installed().task(task)), 100) for task in tasks]


def progress(
    cell: sb.Cell, steps: int, solved: int = 0, *, earlier: int = 0, replicas: int = 6
) -> BlockProgress:
    """Of a block that runs until solved."""
    return BlockProgress(cell, earlier, replicas, steps, solved, running=replicas - solved)


def test_a_notebook_shows_bars_with_the_time_left(
    small_cell: sb.Cell, screen: Screen, clock: Clock
) -> None:
    planned = plan(small_cell, "sparse-parity n=10 k=2", "sparse-parity n=12 k=2")
    cell = planned[0].cell
    with NotebookListener(clock) as listener:
        listener.evaluation_planned(planned)
        listener.cell_started(cell)
        for seconds, steps in ((1, 100), (0.1, 110), (0.9, 200)):
            clock.now += seconds
            listener.block_advanced(progress(cell, steps, solved=2))
        listener.note("<b>more</b> & more")
    first, block, bar, *_ = screen.shown
    assert "[1/2] n=10</code>" in first and "starting" in first
    assert "all 2 cells</code>" in block and "0 finished</div>" in block, "no pace yet"
    assert 'value="0.5000"' in bar and "2/6 solved, 400 steps/s, at most 2.0 s left" in bar
    # 6 replicas of 400 steps at 400 steps/s, begun in one second as the first was.
    assert "0 finished, at most 9.0 s left" in bar
    assert len(screen.shown) == 5, "not at every step, and once more at the end"
    assert "&lt;b&gt;more&lt;/b&gt; &amp; more" in screen.shown[-1]
    assert "<progress" not in screen.shown[-1], "an interrupted cell leaves no bar behind"


def test_a_notebook_keeps_a_line_for_each_finished_cell(
    small_cell: sb.Cell, screen: Screen, settings: sb.Settings, out: Any
) -> None:
    cells = [small_cell, replace(small_cell, model=installed().model("mlp width=64"))]
    with NotebookListener() as listener:
        sb.evaluate_cells(cells, out, replace(settings, listener=listener))
    assert screen.shown[-1].count("finished, 6/6 solved") == 2
    assert "[2/2] mlp width=64 on" in screen.shown[-1] and "<progress" not in screen.shown[-1]


def test_a_log_has_a_line_every_half_minute_and_at_the_end_of_each_cell(
    small_cell: sb.Cell, small_result: sb.CellResult, clock: Clock
) -> None:
    planned = plan(small_cell, "sparse-parity n=10 k=2", "sparse-parity n=12 k=2 noise=0.1")
    cell, stream = planned[0].cell, io.StringIO()
    listener = LogListener(stream, clock)
    listener.evaluation_planned(planned)
    listener.cell_started(cell)
    for steps in range(0, 321, 20):
        listener.block_advanced(progress(cell, steps))
        clock.now += 0 if steps == 320 else 6
    listener.block_advanced(progress(cell, 320, solved=6))
    listener.cell_finished(small_result.record, reused=False)
    clock.now += 29
    listener.cell_started(planned[1].cell)
    listener.block_advanced(progress(planned[1].cell, 1, solved=1))
    listener.note("mind this")
    # 20 steps of 6 replicas take 6 s; a line after 5 of them is at step 100.
    assert stream.getvalue().splitlines() == [
        "[1/2] n=10: 25%, 0/6 solved, at most 210 s left for all 2",
        "[1/2] n=10: 50%, 0/6 solved, at most 180 s left for all 2",
        "[1/2] n=10: 75%, 0/6 solved, at most 150 s left for all 2",
        "[1/2] mlp width=16 on sparse-parity n=10 k=2: finished, 6/6 solved, at most 120 s left",
        "note: mind this",
    ]


def test_a_log_says_no_time_where_records_alone_are_left_to_write(
    small_cell: sb.Cell, small_result: sb.CellResult, clock: Clock
) -> None:
    planned, stream = (
        plan(small_cell, "sparse-parity n=10 k=2", "sparse-parity n=12 k=2"),
        io.StringIO(),
    )
    listener = LogListener(stream, clock)
    listener.evaluation_planned(planned)
    for each in planned:
        listener.cell_started(each.cell)
        listener.block_advanced(progress(each.cell, 100))
        clock.now += 1
        listener.block_advanced(progress(each.cell, 120, solved=6))
    listener.cell_finished(small_result.record, reused=False)
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("finished, 6/6 solved")


def test_a_log_names_the_cells_that_are_under_way_together(
    small_cell: sb.Cell, clock: Clock
) -> None:
    planned = plan(small_cell, *(f"sparse-parity n={n} k=2" for n in (8, 9, 10, 11, 12)))
    stream = io.StringIO()
    listener = LogListener(stream, clock)
    listener.evaluation_planned(planned)
    for each in planned[:4]:
        listener.cell_started(each.cell)
        listener.block_advanced(progress(each.cell, 100, solved=1))
    clock.now += 31
    listener.block_advanced(progress(planned[2].cell, 200, solved=3))
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("[1/5] n=8, [2/5] n=9, [3/5] n=10, 1 more: ")
    assert "6/24 solved" in line


def shown(listener: TerminalListener) -> list[list[str]]:
    """What each bar says."""
    return [
        [task.description, f"{task.percentage:.0f}%", *map(str.strip, task.fields.values())]
        for task in listener._progress.tasks
    ]


def test_a_terminal_has_a_bar_for_all_and_one_for_each_cell_under_way(
    small_cell: sb.Cell, small_result: sb.CellResult, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    planned = plan(small_cell, "sparse-parity n=10 k=2", "sparse-parity n=12 k=2 noise=0.1")
    (first, second), listener = (each.cell for each in planned), TerminalListener(clock)
    listener.evaluation_planned(planned)
    for cell in (first, second):
        listener.cell_started(cell)
        listener.block_advanced(progress(cell, 100))
    clock.now += 10
    for cell in (first, second):
        listener.block_advanced(progress(cell, 200))
    clock.now += 1
    listener.draw_now()
    # Both take 20 s for the rest, at the same time.
    assert shown(listener) == [
        ["all 2 cells", "50%", "0 finished", "", "< 20.0 s"],
        ["[1/2] n=10", "50%", "0/6 solved", "60 steps/s", "< 20.0 s"],
        ["[2/2] n=12 noise=0.1", "50%", "0/6 solved", "60 steps/s", "< 20.0 s"],
    ]
    listener.cell_finished(small_result.record, reused=False)
    assert [bar[0] for bar in shown(listener)] == ["all 2 cells", "[2/2] n=12 noise=0.1"]
    assert shown(listener)[0][2] == "1 finished"


def test_a_terminal_with_one_cell_has_one_bar(
    small_cell: sb.Cell, small_result: sb.CellResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    listener = TerminalListener()
    listener.evaluation_planned([PlannedCell(small_cell, 100)])
    listener.cell_started(small_cell)
    assert [bar[0] for bar in shown(listener)] == ["mlp on sparse-parity"], "80 columns"
    listener.cell_finished(small_result.record, reused=False)
    assert shown(listener) == []


@pytest.mark.parametrize(
    ("stream", "kernel", "expected"),
    [
        (Terminal(), False, TerminalListener),
        (Terminal(), True, NotebookListener),
        (io.StringIO(), True, NotebookListener),
        (io.StringIO(), False, LogListener),
        (None, False, Silent),
    ],
    ids=["terminal", "console of a kernel", "notebook", "pipe", "no stderr at all"],
)
def test_who_hears_when_nobody_was_named(
    stream: Any, kernel: bool, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ZMQInteractiveShell:
        pass

    class ColabShell(ZMQInteractiveShell):
        pass

    shell = ColabShell() if kernel else None
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(sys, "stderr", stream)
    with watching() as listener:
        assert type(listener) is expected
    with watching(silent := Silent()) as listener:
        assert listener is silent


def test_a_script_says_how_replicas_are_trained_and_that_they_are(
    small_cell: sb.Cell, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = small_cell.protocol.model_copy(update={"budget": 320})
    cell = replace(small_cell, model=Branching(), protocol=protocol)
    sb.evaluate_cells([cell], out, sb.Settings(sb.TrainerOptions(accelerator="cpu")))
    said = capsys.readouterr()
    note, end = said.err.splitlines()
    assert said.out == "" and note.startswith(
        'note: replicas of "branching" are trained one after the other'
    )
    assert "it reads the value of a tensor" in note
    assert end == "branching on sparse-parity n=10 k=2: finished, 0/6 solved"


def test_a_terminal_with_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    class TerminalInteractiveShell:
        pass

    shell = TerminalInteractiveShell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_a_script_hears_a_line_and_a_terminal_a_bar(
    small_cell: sb.Cell, settings: sb.Settings, out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, loud = io.StringIO(), Terminal()
    for stream in (quiet, loud):
        monkeypatch.setattr(sys, "stderr", stream)
        sb.evaluate_cells([small_cell], out, settings)
    name = "mlp width=16 on sparse-parity n=10 k=2"
    assert quiet.getvalue() == f"{name}: finished, 6/6 solved\n"
    assert f"{name}: already finished, 6/6 solved" in loud.getvalue()
