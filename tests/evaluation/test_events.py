"""Events reach every listening plugin, in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed


@pytest.fixture(scope="module")
def brief(small_cell: Cell) -> Cell:
    """The small cell, of ten steps."""
    changes = {"budget": 320, "resolution": 0.5}
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update=changes))


def test_events_of_an_evaluation(
    brief: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, heard = installed().host.manager, []

    class Listener:
        @sb.hookimpl
        def eval_started(self, cells):
            heard.append(("started", list(cells)))

        @sb.hookimpl
        def cell_finished(self, record):
            heard.append(("cell", record))

        @sb.hookimpl
        def eval_finished(self, records):
            heard.append(("finished", list(records)))

    listener = Listener()
    manager.register(listener)
    try:
        result = sb.evaluate_cells([brief], out, settings)[0]
    finally:
        manager.unregister(listener)
    assert heard == [
        ("started", [brief]),
        ("cell", result.record),
        ("finished", [result.record]),
    ]
