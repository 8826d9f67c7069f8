"""Events reach every listening plugin, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed


def test_events_of_an_evaluation(
    ten_steps: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
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
        result = sb.evaluate_cells([ten_steps], out, settings)[0]
    finally:
        manager.unregister(listener)
    assert heard == [
        ("started", [ten_steps]),
        ("cell", result.record),
        ("finished", [result.record]),
    ]
