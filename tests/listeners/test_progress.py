"""Progress where a person watches, notes elsewhere."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import synthbench as sb
from synthbench.listeners import tally as tally_module
from synthbench.listeners.listener import BlockProgress, Silent
from synthbench.listeners.notebook import NotebookListener
from synthbench.listeners.notes import NotesListener
from synthbench.listeners.tally import Tally
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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    fake = SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(tally_module, "time", fake)
    monkeypatch.setattr("synthbench.listeners.notebook.time", fake)
    return clock


def block(earlier: int, replicas: int, steps: int, solved: int) -> BlockProgress:
    return BlockProgress(earlier, replicas, steps, solved, running=replicas - solved)


def test_blocks_add_up(small_cell: sb.Cell, clock: SimpleNamespace) -> None:
    """400 steps for each of 6 replicas, 4 and then 2 at once."""
    tally = Tally(small_cell)
    assert (tally.total, tally.seconds_left) == (2400, None)
    for progress, done, solved in (
        (block(0, 4, 0, 0), 0, 0),
        (block(0, 4, 100, 1), 400, 1),
        (block(0, 4, 400, 3), 1600, 3),
        (block(4, 2, 100, 1), 1800, 4),
    ):
        tally.advance(progress)
        assert (tally.done, tally.solved) == (done, solved)
    clock.now += 9
    assert tally.rate == 200 and tally.seconds_left == 3


def test_an_earlier_session_does_not_count_for_the_pace(
    small_cell: sb.Cell, clock: SimpleNamespace
) -> None:
    tally = Tally(small_cell)
    tally.advance(block(4, 2, 0, 0))
    clock.now += 2
    tally.advance(block(4, 2, 100, 0))
    assert tally.done == 1800 and tally.rate == 100 and tally.seconds_left == 6


def test_a_notebook_shows_a_bar_with_the_time_left(
    small_cell: sb.Cell, screen: Screen, clock: SimpleNamespace
) -> None:
    with NotebookListener(2) as listener:
        listener.cell_started(small_cell)
        listener.block_advanced(block(0, 6, 0, 0))
        listener.block_advanced(block(0, 6, 0, 0))
        clock.now += 2
        listener.block_advanced(block(0, 6, 100, 2))
        clock.now += 0.1
        listener.block_advanced(block(0, 6, 110, 2))
        listener.note("<b>more</b> & more")
    first, bar, *_ = screen.shown
    assert "mlp width=16</code> on <code>sparse-parity n=10 k=2" in first and "starting" in first
    assert 'value="0.2500"' in bar and "2/6 solved, 300 steps/s, at most 6.0 s left" in bar
    assert len(screen.shown) == 4, "not at every step, and once more at the end"
    assert "&lt;b&gt;more&lt;/b&gt; &amp; more" in screen.shown[-1]
    assert "<progress" not in screen.shown[-1], "an interrupted cell leaves no bar behind"


def test_a_notebook_keeps_a_line_for_each_finished_cell(
    small_cell: sb.Cell, screen: Screen, settings: sb.Settings, out: Any
) -> None:
    cells = [small_cell, replace(small_cell, model=installed().model("mlp width=64"))]
    with NotebookListener(2) as listener:
        sb.evaluate_cells(cells, out, replace(settings, listener=listener))
    assert screen.shown[-1].count("finished, 6/6 solved") == 2
    assert "[2/2] mlp width=64 on" in screen.shown[-1] and "<progress" not in screen.shown[-1]


@pytest.mark.parametrize(
    ("stream", "kernel", "expected"),
    [
        (Terminal(), False, TerminalListener),
        (Terminal(), True, NotebookListener),
        (io.StringIO(), True, NotebookListener),
        (io.StringIO(), False, NotesListener),
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
    with watching(None, 1) as listener:
        assert type(listener) is expected
    with watching(silent := Silent(), 1) as listener:
        assert listener is silent


def test_a_script_says_how_replicas_are_trained_and_nothing_else(
    small_cell: sb.Cell, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = small_cell.protocol.model_copy(update={"budget": 320})
    cell = replace(small_cell, model=Branching(), protocol=protocol)
    sb.evaluate_cells([cell], out, sb.Settings(sb.TrainerOptions(accelerator="cpu")))
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert said.err.startswith('note: replicas of "branching" are trained one after the other')
    assert "it reads the value of a tensor" in said.err


def test_a_terminal_with_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    class TerminalInteractiveShell:
        pass

    shell = TerminalInteractiveShell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_a_script_hears_nothing_and_a_terminal_a_bar(
    small_cell: sb.Cell, settings: sb.Settings, out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, loud = io.StringIO(), Terminal()
    for stream in (quiet, loud):
        monkeypatch.setattr(sys, "stderr", stream)
        sb.evaluate_cells([small_cell], out, settings)
    assert quiet.getvalue() == ""
    assert "[1/1] mlp width=16 on sparse-parity n=10 k=2" in loud.getvalue()
