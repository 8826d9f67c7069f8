"""The picture that goes with a result, and never costs one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.errors import explain
from synthbench.listeners.listener import Listener
from synthbench.results.figures import save_default_picture
from synthbench.results.measured_cell import MeasuredCell


def try_picture(cells: Sequence[MeasuredCell], folder: Path, listener: Listener) -> None:
    """Draw finished cells into a run's folder; where that fails, the listener is told why."""
    try:
        save_default_picture(cells, folder)
    # Whatever it is, such as a setting of matplotlib's: what was measured is on disk.
    except Exception as error:
        listener.note(f"no picture in {folder}, results are kept: {explain(error)}")
